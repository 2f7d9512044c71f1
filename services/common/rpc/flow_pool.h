// The sending end of Telemetry/Flow towards several takers of the same kind.
#ifndef SERVICES_COMMON_RPC_FLOW_POOL_H_
#define SERVICES_COMMON_RPC_FLOW_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/flow_client.h"
#include "services/common/rpc/security.h"

namespace nightjar::rpc {

struct FlowPoolOptions {
  // Any of them will do for any batch. A name may stand for several takers.
  std::vector<std::string> addresses;
  std::string source;  // of Hello, with the number of the stream behind it
  FlowRotation rotation;
  FlowClientOptions streams;  // for the rest
};

// Keeps max(4, 2 an address) streams and gives each batch to the one with the most credit, so that
// takers get as much as they manage. A stream whose taker is gone sends what was not acked to the
// next one. Thread-safe. Memory is bounded by the credit of all takers together.
class FlowPool {
 public:
  using OnEnded = FlowClient::OnEnded;
  using State = FlowClient::State;

  FlowPool(FlowPoolOptions options, const Security& security, Clock& clock);
  ~FlowPool();  // as Shutdown(0)

  void Start();
  // As FlowClient::Send.
  absl::Status Send(BatchPtr batch, OnEnded on_ended);
  // Goes to one taker; they all pass it on. As FlowClient::SendDurable.
  void SendDurable(telemetry::v1::Durable durable);
  void Shutdown(absl::Duration deadline);

  // Of all streams together: connected when any is; an error when none is.
  State state() const;

 private:
  bool Offer(BatchPtr& batch, size_t bytes_without_id, OnEnded& on_ended);

  std::mutex mutex_;  // taken while a client's is held, never the other way round
  std::condition_variable changed_;
  uint64_t changes_ = 0;
  bool stopping_ = false;
  std::vector<std::unique_ptr<FlowClient>> clients_;  // last: they call on_room
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_FLOW_POOL_H_
