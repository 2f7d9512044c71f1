// The pump: fetch -> decode -> send -> commit, for every shard of every index the configuration
// names.
#ifndef SERVICES_ES_READER_READER_H_
#define SERVICES_ES_READER_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/admin/v1/stage.pb.h"
#include "services/common/checkpoint/checkpoint.h"
#include "services/common/checkpoint/file_system.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/ledger.h"
#include "services/common/metrics/metrics.h"
#include "services/common/rpc/flow_pool.h"
#include "services/common/runtime/stage_monitor.h"
#include "services/es_reader/config.h"
#include "services/es_reader/discovery.h"
#include "services/es_reader/fetcher.h"
#include "services/es_reader/position_keeper.h"
#include "services/es_reader/quarantine.h"
#include "services/es_reader/reader_metrics.h"
#include "services/es_reader/reader_state.h"
#include "services/es_reader/sensor_activity.h"

namespace nightjar::es_reader {

// What the reader works with. All of it outlives the reader; `flow` is started, and shut down by
// the reader.
struct ReaderPorts {
  rpc::FlowPool& flow;
  runtime::StageMonitor& monitor;
  metrics::Ledger& ledger;
  metrics::Metrics& metrics;
  checkpoint::FileSystem& files;
  Clock& clock;
  // Called once a newer reader owns a shard: the process must end with this status (exit code 75).
  std::function<void(absl::Status)> request_stop;
};

// One thread looks after the cluster and the position; reader.searches_in_flight_max others each
// make one search at a time, decode the reply and send its batches, waiting for downstream's
// credit. Memory is bounded by reader.fetch_bytes_max for replies, one page a thread, and
// downstream's credit.
class Reader {
 public:
  // `fencing_token` goes with every batch: of the lock on options.state_folder, which the caller
  // holds.
  Reader(ReaderOptions options, uint64_t fencing_token, ReaderPorts ports);
  ~Reader();  // as Shutdown(0)

  // Loads the position and begins to read. Exit code 78 when the state folder cannot be read or
  // written.
  absl::Status Start();

  // Who asks Elasticsearch, from the next request on. After Start, from its thread.
  void SetAuthorization(const config::Secret& authorization);

  // Ordered; see the list above its definition. Works unstarted and twice.
  void Shutdown(absl::Duration deadline);

 private:
  void LookAfter();
  void Round(bool last);
  void HandleRefused();
  bool HandleOne(const RefusedBatch& batch);
  void ReportDownstream();
  void Work(Fetcher& fetcher);
  std::optional<Job> WaitForJob();
  void Run(Fetcher& fetcher, Job job);
  std::optional<Page> FetchAndDecode(Fetcher& fetcher, Job& job, FetchFailure* failure);
  void Commit(const Job& job, const Page& page);
  void Send(const Job& job, Page page);
  void OnEnded(RefusedBatch sent, const rpc::BatchResult& result);
  void OnFailure(const Job& job, const FetchFailure& failure);
  WindowQuery Query(const Job& job) const;
  PageContext Context(const Job& job);
  absl::Status LoadOrBegin();

  const ReaderOptions options_;
  const uint64_t fencing_token_;
  ReaderPorts ports_;
  ReaderMetrics metrics_;
  SensorActivity sensors_;
  NodePool pool_;
  ReaderState state_;
  checkpoint::Checkpoint checkpoint_;
  PositionKeeper keeper_;
  Discovery discovery_;
  std::unique_ptr<Quarantine> quarantine_;
  std::vector<std::unique_ptr<Fetcher>> fetchers_;
  std::vector<std::thread> workers_;
  std::thread looker_;
  absl::Duration connected_at_;  // when the stream was last seen up; the looking thread's
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_READER_H_
