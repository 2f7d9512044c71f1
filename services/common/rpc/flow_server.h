// The taking end of Telemetry/Flow.
#ifndef SERVICES_COMMON_RPC_FLOW_SERVER_H_
#define SERVICES_COMMON_RPC_FLOW_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/batch_message.h"
#include "services/common/rpc/batch_result.h"
#include "services/common/rpc/security.h"

namespace grpc {
class Service;
}

namespace nightjar::rpc {

// What a stage does with what arrives. Methods are called from library threads, concurrently for
// different streams: hand over and return, never wait.
class FlowHandler {
 public:
  // Call exactly once per batch, from any thread, also after the stream is gone. The credit of the
  // batch is held until then. A result with kUnavailable makes the sender send the batch again
  // (Nack RETRY).
  using Done = std::function<void(BatchResult)>;

  virtual ~FlowHandler() = default;
  virtual void OnBatch(BatchPtr batch, Done done) = 0;
  virtual void OnDurable(const telemetry::v1::Durable& durable) = 0;
};

struct FlowServerOptions {
  uint32_t credit_batches = 64;  // of this process, shared by its streams
  uint64_t credit_bytes = 32 << 20;
  absl::Duration heartbeat_interval = absl::Seconds(10);
  absl::Duration silence_max = absl::Seconds(45);
};

// Grants credit, refuses batches that break the limits (Nack INVALID), remembers per source which
// batches are being worked on or have ended, so that a reconnecting sender repeats only the others.
// Thread-safe. `handler` and `clock` outlive it.
class FlowServer {
 public:
  FlowServer(FlowServerOptions options, FlowHandler& handler, const Security& security,
             Clock& clock);
  ~FlowServer();

  // The service to register with the gRPC server.
  grpc::Service& service();

  // False: stop granting credit (pause, or the stage below is gone for long); true: grant again.
  void SetOpen(bool open);

  // Sends Drain on every stream, waits until all batches have ended or `deadline` has passed, then
  // closes the streams.
  void Shutdown(absl::Duration deadline);

  struct State {
    size_t streams = 0;          // that have said Hello
    int64_t unused_batches = 0;  // granted to them and not used
    int64_t unused_bytes = 0;
    int64_t unfinished_batches = 0;  // being worked on, also of senders that are gone
    int64_t unfinished_bytes = 0;
  };
  State state() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // a late Done call may outlive this object
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_FLOW_SERVER_H_
