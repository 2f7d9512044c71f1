// One stream of Telemetry/Flow at the sending end: reads responses, writes what its owner has, ends
// once.
#ifndef SERVICES_COMMON_RPC_CLIENT_STREAM_H_
#define SERVICES_COMMON_RPC_CLIENT_STREAM_H_

#include <memory>
#include <mutex>

#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "proto/telemetry/v1/telemetry_service.grpc.pb.h"
#include "services/common/clock/clock.h"

namespace nightjar::rpc {

// Deletes itself when gRPC is done with it. Its state is guarded by the owner's mutex; methods
// marked "locked" are called with it held.
class ClientStream final
    : public grpc::ClientBidiReactor<telemetry::v1::FlowRequest, telemetry::v1::FlowResponse> {
 public:
  // Outlives the stream.
  class Owner {
   public:
    virtual ~Owner() = default;
    // Locked. What to write now; null: nothing. Held until it has been written.
    virtual std::shared_ptr<const telemetry::v1::FlowRequest> NextWrite() = 0;
    // Not locked. The next response is read when this has returned.
    virtual void OnResponse(const telemetry::v1::FlowResponse& response) = 0;
    // Locked. The last call; the stream is deleted afterwards.
    virtual void OnClosed(const grpc::Status& status) = 0;
  };

  ClientStream(std::mutex& mutex, Owner& owner, Clock& clock);

  // Locked, once.
  void Start(telemetry::v1::Telemetry::Stub& stub);
  // Locked. Writes what the owner has, unless a write is under way.
  void Pump();
  // Locked. No more writes after those that the owner has now; the peer then ends the stream.
  void HalfClose();
  // Locked. Ends the stream at once.
  void Cancel() { context_.TryCancel(); }

  // Locked.
  absl::Duration last_received() const { return last_received_; }
  absl::Duration last_written() const { return last_written_; }
  bool writing() const { return writing_ != nullptr; }
  bool writable() const { return !writing() && !broken_ && !writes_done_; }

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  std::mutex& mutex_;
  Owner& owner_;
  Clock& clock_;
  grpc::ClientContext context_;
  telemetry::v1::FlowResponse response_;
  std::shared_ptr<const telemetry::v1::FlowRequest> writing_;
  bool half_close_ = false;
  bool writes_done_ = false;
  bool broken_ = false;  // nothing may be started any more
  absl::Duration last_received_;
  absl::Duration last_written_;  // when the last write began
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_CLIENT_STREAM_H_
