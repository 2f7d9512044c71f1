#include "services/common/runtime/pause_switch.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace nightjar::runtime {

PauseSwitch::PauseSwitch(Clock& clock, std::function<void(const std::string& reason)> on_expired)
    : clock_(clock), on_expired_(std::move(on_expired)) {}

PauseSwitch::~PauseSwitch() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (timer_.joinable()) timer_.join();
}

void PauseSwitch::SetHandler(std::function<void(bool paused)> on_change) {
  std::lock_guard<std::mutex> handler_lock(handler_mutex_);
  on_change_ = std::move(on_change);
}

absl::Time PauseSwitch::Pause(std::string reason) {
  std::lock_guard<std::mutex> handler_lock(handler_mutex_);
  absl::Time ends_at;
  bool was_paused;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ends_at = ends_at_ = clock_.Now() + kPauseMax;
    deadline_ = clock_.Monotonic() + kPauseMax;
    reason_ = std::move(reason);
    was_paused = paused_.exchange(true);
    changed_.notify_all();
    if (!timer_.joinable()) timer_ = std::thread([this] { RunTimer(); });
  }
  if (!was_paused && on_change_) on_change_(true);
  return ends_at;
}

void PauseSwitch::Resume() {
  std::lock_guard<std::mutex> handler_lock(handler_mutex_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!paused_.exchange(false)) return;
    changed_.notify_all();
  }
  if (on_change_) on_change_(false);
}

std::string PauseSwitch::Describe() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return absl::StrCat("paused until ",
                      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", ends_at_, absl::UTCTimeZone()), ": ",
                      reason_);
}

void PauseSwitch::RunTimer() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const absl::Duration left = paused_ ? deadline_ - clock_.Monotonic() : absl::InfiniteDuration();
    if (left > absl::ZeroDuration()) {
      const bool was_paused = paused_;
      clock_.WaitFor(lock, changed_, left, [&] { return stopping_ || paused_ != was_paused; });
    } else {
      lock.unlock();
      EndIfDue();
      lock.lock();
    }
  }
}

void PauseSwitch::EndIfDue() {
  std::lock_guard<std::mutex> handler_lock(handler_mutex_);
  std::string reason;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    // Resumed or paused anew since the timer looked.
    if (!paused_ || clock_.Monotonic() < deadline_) return;
    paused_ = false;
    reason = reason_;
  }
  on_expired_(reason);
  if (on_change_) on_change_(false);
}

}  // namespace nightjar::runtime
