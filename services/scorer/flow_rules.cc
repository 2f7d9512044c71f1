#include "services/scorer/flow_rules.h"

#include <algorithm>

namespace nightjar::scorer {

using Emit = config::FlowsConfig::Emit;

bool FlowRules::Leaves(const telemetry::v1::Event& event) const {
  const telemetry::v1::Ip& flow = event.ip();
  if (flow.state() != telemetry::v1::FLOW_STATE_INTERIM || emit_ == Emit::kAll) return true;
  if (emit_ == Emit::kFinal || flow.start_unix_nano() == 0) return false;
  // The report's own time: the duration stands still while a flow idles.
  const absl::Duration age = absl::Nanoseconds(event.time_unix_nano() - flow.start_unix_nano());
  if (age < long_interval_) return false;
  // The first report after the age has passed a multiple of the interval.
  return absl::Floor(age, long_interval_) != absl::Floor(age - period_, long_interval_);
}

}  // namespace nightjar::scorer
