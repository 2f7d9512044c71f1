// Takes the filtered events out of a batch and keeps the books of them.
#ifndef SERVICES_SCORER_BATCH_FILTER_H_
#define SERVICES_SCORER_BATCH_FILTER_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/scorer/event_filter.h"

namespace nightjar::scorer {

// Events by type, as outcome counts of one outcome and reason.
std::vector<telemetry::v1::OutcomeCount> CountByType(const telemetry::v1::Batch& batch,
                                                     telemetry::v1::Outcome outcome,
                                                     absl::string_view reason);

// EventFilter::Apply to every event: one reason each, empty for those that go on.
std::vector<absl::string_view> ApplyToAll(const EventFilter& filter, telemetry::v1::Batch* batch);

// Removes the events that have a reason, in place and in order, and returns what went: filtered, by
// reason and type.
std::vector<telemetry::v1::OutcomeCount> RemoveFiltered(
    const std::vector<absl::string_view>& reasons, telemetry::v1::Batch* batch);

}  // namespace nightjar::scorer

#endif  // SERVICES_SCORER_BATCH_FILTER_H_
