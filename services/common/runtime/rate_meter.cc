#include "services/common/runtime/rate_meter.h"

#include <algorithm>

namespace nightjar::runtime {

void RateMeter::Add(absl::Duration now, uint64_t count) {
  const int64_t number = absl::ToInt64Seconds(now - start_);
  Second& second = seconds_[number % kSeconds];
  if (second.number != number) second = {number, 0};
  second.count += count;
}

double RateMeter::PerSecond(absl::Duration now) const {
  const int64_t number = absl::ToInt64Seconds(now - start_);
  uint64_t sum = 0;
  for (const Second& second : seconds_) {
    if (second.number > number - kSeconds) sum += second.count;
  }
  const double elapsed = std::clamp(absl::ToDoubleSeconds(now - start_), 1.0, double{kSeconds});
  return static_cast<double>(sum) / elapsed;
}

}  // namespace nightjar::runtime
