// The sending end of Telemetry/Flow: credits, acks, resending after a reconnect.
#ifndef SERVICES_COMMON_RPC_FLOW_CLIENT_H_
#define SERVICES_COMMON_RPC_FLOW_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/batch_message.h"
#include "services/common/rpc/batch_result.h"
#include "services/common/rpc/flow_rotation.h"
#include "services/common/rpc/security.h"

namespace nightjar::rpc {

class FlowChannels;

struct FlowClientOptions {
  std::string address;  // host:port or a gRPC target
  std::string source;   // names this life of this sender, see Hello.source
  absl::Duration heartbeat_interval = absl::Seconds(10);
  absl::Duration silence_max = absl::Seconds(45);  // no message for this long: cancel and reconnect
  absl::Duration reconnect_min = absl::Milliseconds(200);
  absl::Duration reconnect_max = absl::Seconds(10);  // full jitter between the two
  std::optional<FlowRotation> rotation;              // unset: streams last
  // Called whenever TrySend may have become possible, under a lock: do not call the client in it.
  std::function<void()> on_room;
};

// Keeps one stream to one taker, for ever. A batch given to Send stays in memory until it has
// ended, and is sent again after a reconnect unless the taker says that it has it. Thread-safe.
// Memory is bounded by the taker's credit.
class FlowClient {
 public:
  // Called once per batch, from a library thread: be quick, do not call Send in it.
  using OnEnded = std::function<void(BatchResult)>;

  FlowClient(FlowClientOptions options, const Security& security, Clock& clock);
  // Sends on `channels` (options.address is not looked at): on number `home`, and while that fails
  // on the ones after it in turn.
  FlowClient(FlowClientOptions options, std::shared_ptr<const FlowChannels> channels, size_t home,
             Clock& clock);
  ~FlowClient();  // as Shutdown(0)

  void Start();

  // Waits for credit, then takes the batch (its id is set here). On an error it was not taken and
  // `on_ended` is not called. kCancelled: Shutdown has begun. kInvalidArgument: over
  // kBatchEventsMax or kMessageBytesMax, split it.
  absl::Status Send(BatchPtr batch, OnEnded on_ended);

  // How many batches may be sent now; 0 when there is no taker.
  uint32_t room() const;
  // As Send, for a batch of a checked size (encoded, without an id), but false instead of waiting;
  // then it was not taken and both are as they were.
  bool TrySend(BatchPtr& batch, size_t bytes_without_id, OnEnded& on_ended);

  // Tells the taker what is durable here and needs no dedupe any more. Dropped silently while not
  // connected: the next one covers it.
  void SendDurable(telemetry::v1::Durable durable);

  // Stops taking batches, waits for the acks of what was sent until `deadline`, then closes.
  // Batches not ended by then get no OnEnded call. Idempotent.
  void Shutdown(absl::Duration deadline);

  struct State {
    bool connected = false;
    std::string error;  // why not connected
    uint32_t credit_batches = 0;
    uint64_t credit_bytes = 0;
    uint64_t unacked_batches = 0;
    uint64_t resent_batches = 0;  // since the start
    uint64_t reconnects = 0;
  };
  State state() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_FLOW_CLIENT_H_
