// Brings the alerts of the log to one sink, at the sink's own pace.
#ifndef SERVICES_ALERT_POLLER_SINK_RUNNER_H_
#define SERVICES_ALERT_POLLER_SINK_RUNNER_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/alert_poller/alert_log.h"
#include "services/alert_poller/sink.h"
#include "services/common/checkpoint/checkpoint.h"
#include "services/common/clock/clock.h"
#include "services/common/delivery/retry.h"
#include "services/common/metrics/metrics.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::alert_poller {

struct SinkRunnerOptions {
  std::string folder;             // of the sink's position
  size_t batch_alerts_max = 100;  // what a crash can deliver twice
  delivery::BackoffOptions backoff;
  absl::Duration state_retry_wait = absl::Seconds(1);  // between tries to save the position
};

// What outlives the runner.
struct SinkRunnerParts {
  AlertLog& log;
  checkpoint::FileSystem& files;
  metrics::Metrics& metrics;
  runtime::StageMonitor& monitor;
  Clock& clock;
};

// One thread: read, encode, write, save the position. A sink that fails keeps its position, is
// tried again with backoff, and delays no other. Alerts that the log had to drop meanwhile are
// counted as sink_overflow and alarmed. Thread-safe.
class SinkRunner {
 public:
  // A sink without a position begins with the next alert. Errors of checkpoint::Checkpoint, with
  // exit code 78 where a person must help.
  static absl::StatusOr<std::unique_ptr<SinkRunner>> Open(Sink sink, SinkRunnerOptions options,
                                                          const SinkRunnerParts& parts);
  ~SinkRunner();  // as Shutdown, at once

  // Once every sink is open: the log removes what the open ones have passed.
  void Start();
  void Reopen() { sink_.transport->Reopen(); }  // log rotation
  // Sets nightjar_sink_spool_bytes; call when alerts were added to the log.
  void UpdateSpool();
  // After AlertLog::Stop: lets a write under way end for up to `deadline`. Idempotent.
  void Shutdown(absl::Duration deadline);

  const std::string& name() const { return sink_.name; }
  std::string where() const { return sink_.transport->where(); }

 private:
  SinkRunner(Sink sink, SinkRunnerOptions options, const SinkRunnerParts& parts);
  absl::Status LoadPosition();
  void Run();
  void Deliver();
  void CountDropped(uint64_t next);
  void Failed(const absl::Status& status);
  void Save();
  void Count(const std::string& outcome, uint64_t alerts);

  Sink sink_;
  const SinkRunnerOptions options_;
  const SinkRunnerParts parts_;
  checkpoint::Checkpoint checkpoint_;
  delivery::Backoff backoff_;
  std::atomic<uint64_t> position_{0};  // number of the last alert delivered or dropped
  bool unsaved_ = false;               // the position on disk is behind

  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_SINK_RUNNER_H_
