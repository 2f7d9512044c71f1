// How many events a second, as a mean over the last 10 s.
#ifndef SERVICES_COMMON_RUNTIME_RATE_METER_H_
#define SERVICES_COMMON_RUNTIME_RATE_METER_H_

#include <array>
#include <cstdint>

#include "absl/time/time.h"

namespace nightjar::runtime {

// Not thread-safe. `now` is monotonic and never goes back.
class RateMeter {
 public:
  explicit RateMeter(absl::Duration start) : start_(start) {}

  void Add(absl::Duration now, uint64_t count);

  // Events a second. In the first 10 s the mean is over the time since the start, at least 1 s.
  double PerSecond(absl::Duration now) const;

 private:
  static constexpr int64_t kSeconds = 10;
  struct Second {
    int64_t number = -1;  // which second this counts
    uint64_t count = 0;
  };

  const absl::Duration start_;
  std::array<Second, kSeconds> seconds_;  // by number modulo kSeconds
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_RATE_METER_H_
