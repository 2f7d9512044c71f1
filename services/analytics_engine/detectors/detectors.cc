#include "services/analytics_engine/detectors/detectors.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "prometheus/counter.h"
#include "services/analytics_engine/detectors/dns_tunnel.h"
#include "services/analytics_engine/detectors/folding.h"
#include "services/analytics_engine/detectors/port_scan.h"
#include "services/analytics_engine/detectors/resolvers.h"
#include "services/analytics_engine/detectors/rules.h"
#include "services/analytics_engine/detectors/source.h"
#include "services/common/network/cidr_set.h"
#include "services/common/signals/facts.h"
#include "services/common/signals/signals.h"

namespace nightjar::analytics_engine {

using telemetry::v1::Event;

struct Detectors::State {
  State(const DetectorOptions& options, metrics::Metrics& metrics)
      : bad_tlds(options.bad_tlds),
        metrics(metrics),
        folding(metrics),
        dns_tunnel(folding, metrics),
        port_scan(folding, metrics),
        by_resolvers(metrics.counter("nightjar_engine_dns_tunnel_skipped_total",
                                     "DNS events that the tunnel detector leaves alone.",
                                     {{"reason", "resolver"}})) {}

  void ApplyRules(const signals::Facts& facts, const Source& source, int64_t seconds,
                  const std::string& index, std::vector<Finding>* findings);
  void FollowNames(const signals::Facts& facts, const Source& source, int64_t seconds,
                   const std::string& index, std::vector<Finding>* findings);
  void CountFindings(const std::vector<Finding>& findings, size_t first);

  const std::vector<std::string> bad_tlds;
  metrics::Metrics& metrics;
  std::unique_ptr<const signals::SignalSet> signals;
  Folding folding;
  Resolvers resolvers;
  DnsTunnel dns_tunnel;
  PortScan port_scan;
  prometheus::Counter& by_resolvers;
  int64_t newest_seconds = 0;  // stands in for the time of events that have none
  telemetry::v1::Score score;  // buffer
};

namespace {

constexpr int64_t kNanoPerSecond = 1'000'000'000;

}  // namespace

Detectors::Detectors(const DetectorOptions& options, metrics::Metrics& metrics)
    : state_(std::make_unique<State>(options, metrics)) {
  SetLists(options.lists);
}

Detectors::~Detectors() = default;

void Detectors::SetLists(std::shared_ptr<const signals::ListSet> lists) {
  if (lists == nullptr) lists = std::make_shared<const signals::ListSet>();
  state_->signals = std::make_unique<const signals::SignalSet>(std::move(lists), state_->bad_tlds);
}

void Detectors::Evaluate(const Event& event, const std::string& index,
                         std::vector<Finding>* findings) {
  // Seen from the wrong side there is no telling who did what.
  if (event.reversed()) return;
  const signals::Facts facts(event);
  // What others do is not ours to judge, nor can it be told from backscatter.
  if (!facts.source || !network::IsPrivate(*facts.source)) return;
  const Source source(*facts.source, event.site());
  if (event.time_unix_nano() > 0) state_->newest_seconds = event.time_unix_nano() / kNanoPerSecond;
  const int64_t seconds = state_->newest_seconds;

  const size_t first = findings->size();
  if (event.has_dns()) state_->resolvers.Note(facts, source, seconds);
  // A trusted destination is no threat; a scan of trusted networks is.
  if (!event.trusted()) {
    state_->ApplyRules(facts, source, seconds, index, findings);
    if (event.has_dns()) state_->FollowNames(facts, source, seconds, index, findings);
  }
  if (event.has_ip()) state_->port_scan.Evaluate(facts, source, seconds, index, findings);
  if (findings->size() > first) state_->CountFindings(*findings, first);
}

void Detectors::State::ApplyRules(const signals::Facts& facts, const Source& source,
                                  int64_t seconds, const std::string& index,
                                  std::vector<Finding>* findings) {
  signals->Evaluate(facts, &score);
  if (score.signals().empty()) return;
  std::vector<Finding> found;
  analytics_engine::ApplyRules(facts, score, &found);
  const bool by_resolver = facts.event.has_dns() && resolvers.Contains(source, seconds);
  for (Finding& finding : found) {
    // The client that asked the resolver was found; without one, all that is known is that somebody
    // behind it asked.
    if (by_resolver && folding.WasAsked(source.site, finding.threat, finding.key, seconds))
      continue;
    if (facts.event.has_dns() && !by_resolver) {
      folding.NoteAsked(source.site, finding.threat, finding.key, seconds);
    }
    finding.count = folding.Admit(source, finding.threat, finding.key, finding.severity, seconds);
    if (finding.count == 0) continue;
    KeepSample(facts.event, index, &finding.evidence.samples);
    findings->push_back(std::move(finding));
  }
}

void Detectors::State::FollowNames(const signals::Facts& facts, const Source& source,
                                   int64_t seconds, const std::string& index,
                                   std::vector<Finding>* findings) {
  if (resolvers.Contains(source, seconds)) return by_resolvers.Increment();
  dns_tunnel.Evaluate(facts, source, seconds, index, findings);
}

void Detectors::State::CountFindings(const std::vector<Finding>& findings, size_t first) {
  for (size_t i = first; i < findings.size(); ++i) {
    metrics
        .counter(
            "nightjar_engine_findings_total", "Findings handed out for alerts.",
            {{"threat", findings[i].threat}, {"severity", std::to_string(findings[i].severity)}})
        .Increment();
  }
}

}  // namespace nightjar::analytics_engine
