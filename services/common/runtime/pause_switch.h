// The pause of a stage: switched by an operator, and never for ever.
#ifndef SERVICES_COMMON_RUNTIME_PAUSE_SWITCH_H_
#define SERVICES_COMMON_RUNTIME_PAUSE_SWITCH_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "services/common/clock/clock.h"

namespace nightjar::runtime {

inline constexpr absl::Duration kPauseMax = absl::Minutes(15);

// Thread-safe. `clock` outlives it. `on_expired` is called with the reason of a pause that ended by
// itself, before the handler.
class PauseSwitch {
 public:
  PauseSwitch(Clock& clock, std::function<void(const std::string& reason)> on_expired);
  ~PauseSwitch();
  PauseSwitch(const PauseSwitch&) = delete;
  PauseSwitch& operator=(const PauseSwitch&) = delete;

  // See StageMonitor.
  bool paused() const { return paused_; }
  void SetHandler(std::function<void(bool paused)> on_change);
  absl::Time Pause(std::string reason);
  void Resume();

  // "paused until <time>: <reason>".
  std::string Describe() const;

 private:
  void RunTimer();
  void EndIfDue();

  Clock& clock_;
  const std::function<void(const std::string&)> on_expired_;

  std::mutex handler_mutex_;  // held over a change and its call, so that calls come in order
  std::function<void(bool)> on_change_;

  mutable std::mutex mutex_;  // taken after handler_mutex_, never the other way round
  std::condition_variable changed_;
  std::atomic<bool> paused_{false};  // written under mutex_
  std::string reason_;
  absl::Time ends_at_;
  absl::Duration deadline_;  // the same moment, monotonic
  bool stopping_ = false;
  std::thread timer_;  // runs from the first Pause on
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_PAUSE_SWITCH_H_
