#include "services/scorer/batch_filter.h"

#include <algorithm>
#include <string>

#include "services/common/metrics/ledger.h"
#include "services/common/status/check.h"

namespace nightjar::scorer {
namespace {

using telemetry::v1::Batch;
using telemetry::v1::Event;
using telemetry::v1::Outcome;
using telemetry::v1::OutcomeCount;

// There are a handful of kinds at most, so a linear search is the quickest.
void Count(Outcome outcome, absl::string_view reason, const Event& event,
           std::vector<OutcomeCount>* counts) {
  const absl::string_view type = metrics::TypeName(event);
  const auto it = std::find_if(counts->begin(), counts->end(), [&](const OutcomeCount& count) {
    return count.reason() == reason && count.type() == type;
  });
  OutcomeCount& count = it == counts->end() ? counts->emplace_back() : *it;
  if (count.count() == 0) {
    count.set_outcome(outcome);
    count.set_reason(std::string(reason));
    count.set_type(std::string(type));
  }
  count.set_count(count.count() + 1);
}

}  // namespace

std::vector<OutcomeCount> CountByType(const Batch& batch, Outcome outcome,
                                      absl::string_view reason) {
  std::vector<OutcomeCount> counts;
  for (const Event& event : batch.events()) Count(outcome, reason, event, &counts);
  return counts;
}

std::vector<absl::string_view> ApplyToAll(const EventFilter& filter, Batch* batch) {
  std::vector<absl::string_view> reasons;
  reasons.reserve(batch->events_size());
  for (Event& event : *batch->mutable_events()) reasons.push_back(filter.Apply(&event));
  return reasons;
}

std::vector<OutcomeCount> RemoveFiltered(const std::vector<absl::string_view>& reasons,
                                         Batch* batch) {
  auto* events = batch->mutable_events();
  CHECK(static_cast<size_t>(events->size()) == reasons.size());
  std::vector<OutcomeCount> counts;
  int kept = 0;
  for (int i = 0; i < events->size(); ++i) {
    if (reasons[i].empty()) {
      events->SwapElements(kept++, i);  // pointers only
    } else {
      Count(telemetry::v1::OUTCOME_FILTERED, reasons[i], events->Get(i), &counts);
    }
  }
  events->DeleteSubrange(kept, events->size() - kept);
  return counts;
}

}  // namespace nightjar::scorer
