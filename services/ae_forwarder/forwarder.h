// The pump of ae-forwarder: batches in, bodies to the engine, acks back.
//
//   batch -> fenced? -> ended or under way already? -> encode -> body per type -> post
//         -> quarantine what the engine refuses -> journal (fsync) -> books -> ack
#ifndef SERVICES_AE_FORWARDER_FORWARDER_H_
#define SERVICES_AE_FORWARDER_FORWARDER_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/ae_forwarder/batch_book.h"
#include "services/ae_forwarder/bisector.h"
#include "services/ae_forwarder/body.h"
#include "services/ae_forwarder/body_builder.h"
#include "services/ae_forwarder/body_queue.h"
#include "services/ae_forwarder/body_result.h"
#include "services/ae_forwarder/ended_set.h"
#include "services/ae_forwarder/forwarder_metrics.h"
#include "services/ae_forwarder/forwarder_state.h"
#include "services/ae_forwarder/post_gate.h"
#include "services/ae_forwarder/poster.h"
#include "services/common/analytics_api/engine_client.h"
#include "services/common/analytics_api/events_encoder.h"
#include "services/common/clock/clock.h"
#include "services/common/config/secret.h"
#include "services/common/delivery/retry.h"
#include "services/common/metrics/ledger.h"
#include "services/common/metrics/metrics.h"
#include "services/common/rpc/flow_server.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::ae_forwarder {

struct ForwarderOptions {
  analytics_api::EngineClientOptions engine;
  // Reads the API key again; asked at ReloadApiKey and while the engine refuses the one in use.
  std::function<absl::StatusOr<config::Secret>()> read_api_key;
  analytics_api::Dialect dialect = analytics_api::Dialect::kAlphaSoc;
  BodyLimits body;
  absl::Duration body_wait_max = absl::Milliseconds(50);  // an open body is cut after this
  int posts_in_flight_max = 4;  // also the most bodies that a crash can send twice
  delivery::BackoffOptions backoff;
  absl::Duration hold_wait = absl::Seconds(30);  // between tries when only a person can help
  size_t ended_entries_max = 4'000'000;  // of the ended set; at this no more credit is granted
  absl::Duration state_retry_wait = absl::Seconds(1);  // between tries to write state
};

// What outlives the forwarder.
struct ForwarderParts {
  ForwarderState& state;
  metrics::Metrics& metrics;
  metrics::Ledger& ledger;
  runtime::StageMonitor& monitor;
  Clock& clock;
};

// Thread-safe. Memory is bounded by the credit granted upstream and posts_in_flight_max bodies.
// Promise: an event is acked only after its outcome is on disk; a body is posted again only while
// no valid 2xx reply came, or when the process died before the reply was on disk.
class Forwarder final : public rpc::FlowHandler {
 public:
  Forwarder(ForwarderOptions options, const ForwarderParts& parts);
  ~Forwarder() override;  // as Shutdown

  // Called with false when no more credit may be granted, with true when it may again. Set before
  // Start.
  void SetCreditSwitch(std::function<void(bool open)> credit_switch);

  void Start();

  void OnBatch(rpc::BatchPtr batch, Done done) override;
  void OnDurable(const telemetry::v1::Durable& durable) override;

  void SetPaused(bool paused);
  // Takes the API key of the configuration, if it has changed, and posts with it at once.
  void ReloadApiKey();

  // Ends posts at once; batches that have not ended get Done(kUnavailable). For a clean stop let
  // FlowServer::Shutdown wait for them first. Idempotent; works unstarted.
  void Shutdown();

 private:
  struct Arrival {
    rpc::BatchPtr batch;
    Done done;
  };
  void EncodeLoop();
  absl::Duration UntilNextCut() const;
  void Take(Arrival arrival, std::vector<BodyPtr>* full);
  absl::Status Admit(const telemetry::v1::Batch& batch) const;

  void PostLoop(Poster* poster);
  void Settle(const Body& body, BodyResult result, const std::vector<RefusedLine>& refused);
  bool QuarantineRefused(const Body& body, const std::vector<RefusedLine>& refused,
                         BodyResult* result);
  bool Commit(const Body& body, const BodyResult& result);
  // Repeats `write` until it works; false: stopping.
  bool RetryState(const std::string& condition, const std::function<absl::Status()>& write);
  void UpdateCredit();

  const ForwarderOptions options_;
  const ForwarderParts parts_;
  ForwarderMetrics metrics_;
  PostGate gate_;
  RefusalGuard guard_;
  PosterContext poster_context_;
  BodyQueue queue_;
  std::vector<std::unique_ptr<Poster>> posters_;
  BodyBuilder builder_;  // of the encoding thread
  BatchBook book_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Arrival> arrivals_;
  bool stopping_ = false;

  std::mutex credit_mutex_;  // held while the switch is called, so that calls keep their order
  std::function<void(bool)> credit_switch_;
  bool paused_ = false;
  bool open_ = true;

  std::mutex api_key_mutex_;
  config::Secret api_key_;

  std::vector<std::thread> threads_;
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_FORWARDER_H_
