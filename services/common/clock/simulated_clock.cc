#include "services/common/clock/simulated_clock.h"

#include <vector>

namespace nightjar {

absl::Time SimulatedClock::Now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return now_;
}

absl::Duration SimulatedClock::Monotonic() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return monotonic_;
}

bool SimulatedClock::WaitFor(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                             absl::Duration timeout, const std::function<bool()>& ready) {
  std::list<Waiter>::iterator self;
  absl::Duration deadline;
  {
    std::lock_guard<std::mutex> own(mutex_);
    self = waiters_.insert(waiters_.end(), {lock.mutex(), &changed});
    deadline = monotonic_ + timeout;
  }
  changed.wait(lock, [&] { return ready() || Monotonic() >= deadline; });
  {
    std::lock_guard<std::mutex> own(mutex_);
    waiters_.erase(self);
  }
  return ready();
}

void SimulatedClock::Advance(absl::Duration duration) {
  std::vector<Waiter> waiters;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    now_ += duration;
    monotonic_ += duration;
    waiters.assign(waiters_.begin(), waiters_.end());
  }
  for (const Waiter& waiter : waiters) {
    // Taking the waiter's mutex makes sure that it is inside wait(), not on its way there.
    { std::lock_guard<std::mutex> lock(*waiter.mutex); }
    waiter.changed->notify_all();
  }
}

void SimulatedClock::JumpWall(absl::Duration offset) {
  std::lock_guard<std::mutex> lock(mutex_);
  now_ += offset;
}

int SimulatedClock::waiting() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<int>(waiters_.size());
}

}  // namespace nightjar
