#include "services/common/clock/clock.h"

#include <chrono>

#include "absl/time/clock.h"

namespace nightjar {
namespace {

class RealClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }

  absl::Duration Monotonic() const override {
    return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  }

  bool WaitFor(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
               absl::Duration timeout, const std::function<bool()>& ready) override {
    if (timeout == absl::InfiniteDuration()) {
      changed.wait(lock, ready);
      return true;
    }
    return changed.wait_for(lock, absl::ToChronoNanoseconds(timeout), ready);
  }
};

}  // namespace

Clock& SystemClock() {
  static RealClock* const clock = new RealClock;
  return *clock;
}

}  // namespace nightjar
