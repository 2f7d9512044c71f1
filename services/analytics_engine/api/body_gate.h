// How many event bodies are in memory at a time.
#ifndef SERVICES_ANALYTICS_ENGINE_API_BODY_GATE_H_
#define SERVICES_ANALYTICS_ENGINE_API_BODY_GATE_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"
#include "services/common/clock/clock.h"

namespace nightjar::analytics_engine {

// Thread-safe. `clock` outlives it.
class BodyGate {
 public:
  BodyGate(Clock& clock, int places) : clock_(clock), free_(places) {}

  // False: no place came free within `wait_max`. Else Leave() follows.
  bool Enter(absl::Duration wait_max) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!clock_.WaitFor(lock, changed_, wait_max, [this] { return free_ > 0; })) return false;
    --free_;
    return true;
  }

  void Leave() {
    std::lock_guard<std::mutex> lock(mutex_);
    ++free_;
    changed_.notify_one();
  }

 private:
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int free_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_BODY_GATE_H_
