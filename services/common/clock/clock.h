// Time as a dependency: everything that reads the time, sleeps or waits with a limit takes a
// Clock&.
#ifndef SERVICES_COMMON_CLOCK_CLOCK_H_
#define SERVICES_COMMON_CLOCK_CLOCK_H_

#include <condition_variable>
#include <functional>
#include <mutex>

#include "absl/time/time.h"

namespace nightjar {

// Thread-safe. Owned by main() or the test; outlives everything that holds a reference.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time: for what people and other machines read. It may jump.
  virtual absl::Time Now() const = 0;

  // Time since some fixed moment, never going back: for limits, ages and rates.
  virtual absl::Duration Monotonic() const = 0;

  // Waits until `ready()` or for `timeout` (monotonic), whichever is first, releasing `lock`
  // meanwhile. Returns ready(). Whoever changes what `ready` reads holds the lock's mutex and
  // notifies `changed`.
  virtual bool WaitFor(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                       absl::Duration timeout, const std::function<bool()>& ready) = 0;
};

// The machine's clocks. Never destroyed.
Clock& SystemClock();

}  // namespace nightjar

#endif  // SERVICES_COMMON_CLOCK_CLOCK_H_
