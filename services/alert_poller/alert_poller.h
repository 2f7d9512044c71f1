// The parts of the stage, put together: alert log, sinks, poller, feed.
#ifndef SERVICES_ALERT_POLLER_ALERT_POLLER_H_
#define SERVICES_ALERT_POLLER_ALERT_POLLER_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/alert_poller/alert_log.h"
#include "services/alert_poller/config.h"
#include "services/alert_poller/poller.h"
#include "services/alert_poller/sink_runner.h"
#include "services/common/checkpoint/file_system.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/metrics.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::alert_poller {

// What outlives the stage.
struct StageParts {
  checkpoint::FileSystem& files;
  metrics::Metrics& metrics;
  runtime::StageMonitor& monitor;
  Clock& clock;
};

// For main's thread. The state folder is locked by the caller. With outputs.enabled false it holds
// nothing, does nothing and says so in the stage's status.
class AlertPoller {
 public:
  // Opens the state and imports NFR's bookmark at the first start. Exit code 78 with the way out
  // when the state, the scope file or that bookmark cannot be used. `on_alerts` sees every alert
  // that arrives.
  static absl::StatusOr<std::unique_ptr<AlertPoller>> Open(const PollerConfig& config,
                                                           const StageParts& parts,
                                                           Poller::OnAlerts on_alerts);
  ~AlertPoller();

  // Sinks first, then the poller.
  void Start();
  void SetPaused(bool paused);
  // SIGHUP: scope file, API key, output files.
  void Reload();
  // The poller first; then sinks may end a write under way for up to `deadline`. Idempotent.
  void Shutdown(absl::Duration deadline);

 private:
  AlertPoller(const PollerConfig& config, const StageParts& parts);
  absl::Status OpenLog();
  absl::Status OpenSinks();

  const PollerConfig config_;
  const StageParts parts_;
  std::unique_ptr<AlertLog> log_;
  std::vector<std::unique_ptr<SinkRunner>> sinks_;
  std::unique_ptr<Poller> poller_;  // null: not enabled
};

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_ALERT_POLLER_H_
