// The pump of alert-poller: page of alerts -> group labels -> alert log (fsync, with the bookmark)
// -> next page. The sinks read the log by themselves.
#ifndef SERVICES_ALERT_POLLER_POLLER_H_
#define SERVICES_ALERT_POLLER_POLLER_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/alert_poller/account_watch.h"
#include "services/alert_poller/alert_log.h"
#include "services/common/analytics_api/alerts_reply.h"
#include "services/common/analytics_api/engine_client.h"
#include "services/common/clock/clock.h"
#include "services/common/config/secret.h"
#include "services/common/delivery/retry.h"
#include "services/common/metrics/metrics.h"
#include "services/common/runtime/stage_monitor.h"
#include "services/common/scope/groups.h"

namespace nightjar::alert_poller {

struct PollerOptions {
  analytics_api::EngineClientOptions engine;
  // Reads the API key again; asked at ReloadApiKey and while the engine refuses the one in use.
  std::function<absl::StatusOr<config::Secret>()> read_api_key;
  absl::Duration poll_interval = absl::Minutes(5);
  delivery::BackoffOptions backoff;
  absl::Duration hold_wait = absl::Seconds(30);        // between tries when only a person can help
  absl::Duration state_retry_wait = absl::Seconds(1);  // between tries to write the alert log
};

// What outlives the poller.
struct PollerParts {
  AlertLog& log;
  metrics::Metrics& metrics;
  runtime::StageMonitor& monitor;
  Clock& clock;
};

// Promise: the engine's bookmark moves only together with the alerts before it, on disk. So no
// alert is lost, and none is fetched twice unless the engine gives it twice. Thread-safe.
class Poller {
 public:
  // `on_alerts` is called with what was added to the log.
  using OnAlerts = std::function<void(absl::Span<const alerts::v1::Alert>)>;

  Poller(PollerOptions options, const PollerParts& parts, OnAlerts on_alerts);
  ~Poller();  // as Shutdown

  void Start();
  void SetPaused(bool paused);
  void SetGroups(std::vector<scope::Group> groups);
  // Takes the API key of the configuration, if it has changed, and polls at once.
  void ReloadApiKey();
  // Ends a poll under way. Idempotent; works unstarted.
  void Shutdown();

  // One poll; returns how long to wait before the next. Of the polling thread, or a test's when
  // Start was not called.
  absl::Duration Step();

 private:
  void Run();
  absl::Duration Take(analytics_api::AlertsPage page);
  std::vector<alerts::v1::Alert> Fresh(std::vector<alerts::v1::Alert> alerts, bool repeat);
  bool IsRepeat(const std::string& follow) const;
  bool IsLoop(const std::string& follow, bool again);
  absl::Duration Failed(const absl::Status& status, std::optional<absl::Duration> retry_after);
  void CountPoll(const std::string& result);
  void CountAlerts(const std::string& result, size_t alerts);
  bool TakeApiKey();

  const PollerOptions options_;
  const PollerParts parts_;
  const OnAlerts on_alerts_;
  analytics_api::EngineClient client_;
  AccountWatch account_;
  delivery::Backoff backoff_;
  // Of the polling thread.
  std::deque<std::string> recent_follows_;  // bookmarks asked with, oldest first
  int repeats_ = 0;                         // in a row

  std::mutex mutex_;
  std::condition_variable changed_;
  bool paused_ = false;
  bool hurry_ = false;  // poll now
  bool stopping_ = false;
  std::shared_ptr<const std::vector<scope::Group>> groups_;
  config::Secret api_key_;
  std::thread thread_;
};

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_POLLER_H_
