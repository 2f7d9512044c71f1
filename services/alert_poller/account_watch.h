// When the engine's account runs out, as the engine says.
#ifndef SERVICES_ALERT_POLLER_ACCOUNT_WATCH_H_
#define SERVICES_ALERT_POLLER_ACCOUNT_WATCH_H_

#include "absl/time/time.h"
#include "services/common/analytics_api/engine_client.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/metrics.h"

namespace nightjar::alert_poller {

// Used by one thread. What is passed in outlives it.
class AccountWatch {
 public:
  static constexpr absl::Duration kAskEvery = absl::Hours(1);
  static constexpr absl::Duration kAskAgain = absl::Minutes(5);  // after an answer that is none

  AccountWatch(metrics::Metrics& metrics, Clock& clock) : metrics_(metrics), clock_(clock) {}

  // Asks when it is time to. A failure is counted and leaves what is known as it is: alerts go on.
  void Look(analytics_api::EngineClient& client);

 private:
  metrics::Metrics& metrics_;
  Clock& clock_;
  absl::Duration ask_at_ = -absl::InfiniteDuration();
};

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_ACCOUNT_WATCH_H_
