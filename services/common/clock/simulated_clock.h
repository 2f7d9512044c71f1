// A clock that stands still until a test moves it.
#ifndef SERVICES_COMMON_CLOCK_SIMULATED_CLOCK_H_
#define SERVICES_COMMON_CLOCK_SIMULATED_CLOCK_H_

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>

#include "services/common/clock/clock.h"

namespace nightjar {

// Thread-safe. Waiters whose time has come are woken by Advance.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(absl::Time start = absl::UnixEpoch()) : now_(start) {}

  absl::Time Now() const override;
  absl::Duration Monotonic() const override;
  bool WaitFor(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
               absl::Duration timeout, const std::function<bool()>& ready) override;

  // Moves both clocks forward.
  void Advance(absl::Duration duration);

  // Moves only the wall clock, to where it likes: what an operator or NTP does to it.
  void JumpWall(absl::Duration offset);

  // How many threads are inside WaitFor, so that a test can advance once its subject is waiting.
  int waiting() const;

 private:
  struct Waiter {
    std::mutex* mutex;
    std::condition_variable* changed;
  };

  mutable std::mutex mutex_;
  absl::Time now_;
  absl::Duration monotonic_ = absl::ZeroDuration();
  std::list<Waiter> waiters_;
};

}  // namespace nightjar

#endif  // SERVICES_COMMON_CLOCK_SIMULATED_CLOCK_H_
