#include "services/cli/silence.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/time_util.h"
#include "services/common/metrics/ledger.h"

namespace nightjar::cli {
namespace {

using admin::v1::StageStatus;
using google::protobuf::util::TimeUtil;
using telemetry::v1::OutcomeCount;

constexpr size_t kReasonsNamed = 3;

uint64_t Lag(const StageStatus& status) {
  uint64_t operations = 0;
  for (const auto& lag : status.lag()) operations += lag.lag_operations();
  return operations;
}

// "degraded"
std::string StateWord(const StageStatus& status) {
  return absl::AsciiStrToLower(absl::StripPrefix(admin::v1::State_Name(status.state()), "STATE_"));
}

// "filtered by trusted_domain (5), rejected as bad_ip (1)", the most frequent first. Empty: none.
std::string WhereTheyWent(const StageStatus& status, absl::string_view type) {
  std::vector<const OutcomeCount*> counts;
  for (const OutcomeCount& count : status.counts()) {
    if (count.type() == type && count.count() > 0) counts.push_back(&count);
  }
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto* a, const auto* b) { return a->count() > b->count(); });
  std::string text;
  for (size_t i = 0; i < std::min(counts.size(), kReasonsNamed); ++i) {
    const bool filtered = counts[i]->outcome() == telemetry::v1::OUTCOME_FILTERED;
    absl::StrAppend(&text, i == 0 ? "" : ", ", metrics::OutcomeName(counts[i]->outcome()),
                    filtered ? " by " : " as ", counts[i]->reason(), " (", counts[i]->count(), ")");
  }
  return text;
}

// Records without a time of their own are not known to be old.
bool IsOld(const admin::v1::TypeActivity& activity, absl::Time now) {
  const int64_t last = TimeUtil::TimestampToNanoseconds(activity.last_record());
  return activity.has_last_record() && now - absl::FromUnixNanos(last) > kSilentAfter;
}

std::string WhyNoneComes(const StageStatus& reader, bool some_came_before) {
  if (const uint64_t lag = Lag(reader); lag > 0) return absl::StrCat(lag, " operations to read");
  if (some_came_before) return "no newer documents in the index";
  if (reader.read_events() == 0) return "no documents in the index";
  return absl::StrCat("no such documents in the index, among ", reader.read_events(), " read");
}

}  // namespace

const admin::v1::TypeActivity* FindActivity(const StageStatus& status, absl::string_view type) {
  for (const auto& activity : status.activity()) {
    if (absl::string_view(activity.type()) == type) return &activity;
  }
  return nullptr;
}

uint64_t CountOf(const StageStatus& status, telemetry::v1::Outcome outcome,
                 absl::string_view type) {
  uint64_t sum = 0;
  for (const OutcomeCount& count : status.counts()) {
    const bool wanted = type.empty() || absl::string_view(count.type()) == type;
    if (count.outcome() == outcome && wanted) sum += count.count();
  }
  return sum;
}

std::string ReasonForSilence(const absl::StatusOr<StageStatus>& reader, absl::string_view type,
                             absl::Time now) {
  if (!reader.ok()) return "es-reader cannot be reached";
  const admin::v1::TypeActivity* const activity = FindActivity(*reader, type);
  const bool seen = activity != nullptr && activity->count() > 0;
  const bool old = seen && IsOld(*activity, now);
  std::string reason;
  if (seen && CountOf(*reader, telemetry::v1::OUTCOME_ACCEPTED, type) == 0) {
    const std::string ends = WhereTheyWent(*reader, type);
    reason = ends.empty() ? "in flight: the engine has not answered yet"
                          : absl::StrCat("none reached the engine: ", ends);
  } else if (!seen || old) {
    reason = WhyNoneComes(*reader, seen);
  }
  if (reader->state() == admin::v1::STATE_READY || (seen && !old)) return reason;
  const std::string fault =
      absl::StrCat("es-reader is ", StateWord(*reader), " (", reader->reason(), ")");
  return reader->read_events() == 0 ? fault : absl::StrCat(fault, "; ", reason);
}

}  // namespace nightjar::cli
