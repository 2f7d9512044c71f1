// The pump: batches come in from the reader, lose what is filtered, gain scores, and go on to the
// forwarder, one to one.
#ifndef SERVICES_SCORER_SCORER_H_
#define SERVICES_SCORER_SCORER_H_

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/ledger.h"
#include "services/common/metrics/metrics.h"
#include "services/common/rpc/flow_client.h"
#include "services/common/rpc/flow_server.h"
#include "services/common/runtime/stage_monitor.h"
#include "services/scorer/config.h"
#include "services/scorer/policy.h"

namespace nightjar::scorer {

// Threads that score, shared out over the forwarders, at least one each.
inline constexpr size_t kThreads = 2;

// Each forwarder has a lane: a queue, a stream and threads of its own, so that one that is down
// holds up only its own epochs. The queues need no limit of their own: what is in them is under the
// credit that the flow server has granted. A batch is acknowledged upwards when the stage below has
// ended it, with the filtered events added to the counts. Thread-safe. References outlive it.
class Scorer final : public rpc::FlowHandler {
 public:
  Scorer(const ScorerConfig& config, Policy& policy, metrics::Ledger& ledger,
         runtime::StageMonitor& monitor, metrics::Metrics& metrics, const rpc::Security& security,
         Clock& clock);
  ~Scorer() override;  // as Shutdown(0)

  void Start();

  // Stops taking batches, waits for the stage below until `deadline`, joins. Batches not ended by
  // then are not acknowledged, so the reader sends them again to the next process. Works unstarted
  // and twice.
  void Shutdown(absl::Duration deadline);

  void OnBatch(rpc::BatchPtr batch, Done done) override;
  void OnDurable(const telemetry::v1::Durable& durable) override;

 private:
  struct Work {
    rpc::BatchPtr batch;
    Done done;
  };
  struct Lane {
    std::string name;
    std::unique_ptr<rpc::FlowClient> client;
    std::mutex mutex;  // guards the following
    std::condition_variable changed;
    std::deque<Work> queue;
    bool stopping = false;
    std::vector<std::thread> threads;
  };

  Lane& LaneOf(absl::string_view epoch);
  void RunLane(Lane& lane);
  void Process(Lane& lane, Work work);
  void CountSignals(const telemetry::v1::Batch& batch);
  void RunUpkeep();
  void ReportLanes();

  const std::vector<std::string> names_;
  Policy& policy_;
  metrics::Ledger& ledger_;
  runtime::StageMonitor& monitor_;
  metrics::Metrics& metrics_;
  Clock& clock_;
  std::vector<std::unique_ptr<Lane>> lanes_;

  std::mutex upkeep_mutex_;  // guards the following
  std::condition_variable upkeep_changed_;
  bool stopping_ = false;
  std::thread upkeep_;
};

}  // namespace nightjar::scorer

#endif  // SERVICES_SCORER_SCORER_H_
