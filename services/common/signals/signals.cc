#include "services/common/signals/signals.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/network/domain.h"

namespace nightjar::signals {
namespace {

using telemetry::v1::Event;
using telemetry::v1::Score;
using telemetry::v1::Signal;

constexpr uint32_t kScoreMax = 100;
// Names and certificates may be long; a person needs less to recognise them.
constexpr size_t kEvidenceBytesMax = 200;

// Never in the middle of a UTF-8 character: such a message could not be read again.
std::string CutText(std::string text) {
  if (text.size() <= kEvidenceBytesMax) return text;
  size_t end = kEvidenceBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

void AddSignal(std::string name, uint32_t points, std::string evidence, Score* score) {
  Signal* signal = score->add_signals();
  signal->set_name(std::move(name));
  signal->set_points(points);
  signal->set_evidence(CutText(std::move(evidence)));
}

// Strongest first, then the value as the header defines it.
void Conclude(Score* score) {
  auto* signals = score->mutable_signals();
  std::stable_sort(signals->pointer_begin(), signals->pointer_end(),
                   [](const Signal* a, const Signal* b) { return a->points() > b->points(); });
  uint32_t rest = 0;
  for (int i = 1; i < signals->size(); ++i) rest += signals->Get(i).points();
  score->set_value(std::min(kScoreMax, signals->Get(0).points() + rest / 4));
}

}  // namespace

SignalSet::SignalSet(std::shared_ptr<const ListSet> lists, const std::vector<std::string>& bad_tlds)
    : lists_(std::move(lists)) {
  for (const std::string& tld : bad_tlds.empty() ? DefaultBadTlds() : bad_tlds) {
    settings_.bad_tlds.insert(network::NormalizeDomain(tld));
  }
  constexpr std::pair<EventTypes, int> kBodies[] = {{kDns, Event::kDns},
                                                    {kIp, Event::kIp},
                                                    {kHttp, Event::kHttp},
                                                    {kTls, Event::kTls},
                                                    {kIcmp, Event::kIcmp}};
  for (const auto& [type, body] : kBodies) {
    for (const Rule& rule : Rules()) {
      if ((rule.types & type) != 0) rules_by_body_[body].push_back(&rule);
    }
  }
}

void SignalSet::Evaluate(const Facts& facts, Score* score) const {
  score->Clear();
  const int body = facts.event.body_case();
  if (body > Event::kIcmp) return;
  std::vector<ListSet::Hit> hits;
  lists_->Find(facts, &hits);
  for (ListSet::Hit& hit : hits) {
    AddSignal(absl::StrCat("list:", hit.list->name), hit.list->points, std::move(hit.evidence),
              score);
  }
  std::string evidence;
  for (const Rule* rule : rules_by_body_[body]) {
    evidence.clear();
    if (rule->matches(facts, settings_, &evidence))
      AddSignal(rule->name, rule->points, evidence, score);
  }
  if (score->signals_size() > 0) Conclude(score);
}

}  // namespace nightjar::signals
