// Which flow reports leave: `flows.emit`.
#ifndef SERVICES_SCORER_FLOW_RULES_H_
#define SERVICES_SCORER_FLOW_RULES_H_

#include "absl/time/time.h"
#include "proto/telemetry/v1/event.pb.h"
#include "services/common/config/config.h"

namespace nightjar::scorer {

// A flow that is still alive is reported once in every such interval of its age.
inline constexpr absl::Duration kLongFlowInterval = absl::Minutes(10);

// Sensors report a living flow every `period`, mostly unchanged. The rule keeps no state, so that a
// replay gives the same answer. Final reports, and those of sensors that do not tell, always leave.
// Pure, thread-safe.
class FlowRules {
 public:
  // `emit` is not kDefault. `long_interval` is for tests on short recordings.
  FlowRules(config::FlowsConfig::Emit emit, absl::Duration period,
            absl::Duration long_interval = kLongFlowInterval)
      : emit_(emit), period_(period), long_interval_(long_interval) {}

  // `event` has an `ip` body. False: it ends as filtered(flow_update).
  bool Leaves(const telemetry::v1::Event& event) const;

 private:
  config::FlowsConfig::Emit emit_;
  absl::Duration period_;
  absl::Duration long_interval_;
};

}  // namespace nightjar::scorer

#endif  // SERVICES_SCORER_FLOW_RULES_H_
