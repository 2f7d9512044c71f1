// One stream of Telemetry/Flow at the taking end: reads messages, writes what is pending, ends
// once.
#ifndef SERVICES_COMMON_RPC_SERVER_STREAM_H_
#define SERVICES_COMMON_RPC_SERVER_STREAM_H_

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/batch_message.h"
#include "services/common/rpc/credit_pool.h"

namespace nightjar::rpc {

// Deletes itself when gRPC is done with it. Its state is guarded by the owner's mutex; methods
// marked "locked" are called with it held.
class ServerStream final
    : public grpc::ServerBidiReactor<telemetry::v1::FlowRequest, telemetry::v1::FlowResponse> {
 public:
  // Outlives the stream.
  class Owner {
   public:
    virtual ~Owner() = default;
    // Not locked. In the order of arrival; the next message is read when this has returned.
    virtual void OnMessage(ServerStream& stream, BatchPtr message) = 0;
    // Locked. All of `stream`'s acks so far in one message; false when there are none.
    virtual bool FillAck(ServerStream& stream, telemetry::v1::Ack& ack) = 0;
    // Locked. The last call for this stream, which is deleted afterwards.
    virtual void OnGone(ServerStream& stream) = 0;
  };

  ServerStream(std::mutex& mutex, Owner& owner, Clock& clock, grpc::CallbackServerContext& context);

  // Locked, once, when the owner knows the stream.
  void Start();

  // Locked. What goes down next, in this order; credit adds up.
  void SendHave(const std::vector<uint64_t>& ids);
  void SendNack(uint64_t id, telemetry::v1::Nack::Code code, uint32_t retry_after_ms,
                std::string text);
  void SendAck(uint64_t id) { acks_.push_back(id); }
  void SendCredit(const CreditAmount& amount);
  void SendDrain() { drain_ = true; }
  void SendHeartbeat() { heartbeat_ = true; }
  // Starts writing what is pending, unless a write is under way.
  void Pump();

  // Locked. Ends the stream with `status` when what is pending has been written (`flush`), or at
  // once.
  void Close(const grpc::Status& status, bool flush);
  // Locked. Breaks the stream off, for a peer that does not read.
  void Cancel();

  // Locked.
  bool closing() const { return closing_; }
  const std::vector<uint64_t>& acks() const { return acks_; }
  void ClearAcks() { acks_.clear(); }
  absl::Duration last_received() const { return last_received_; }
  absl::Duration last_written() const { return last_written_; }
  bool writing() const { return writing_; }
  bool cancelled() const { return cancelled_; }
  std::string peer() const { return context_.peer(); }

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  void Read();
  bool FillResponse();

  std::mutex& mutex_;
  Owner& owner_;
  Clock& clock_;
  grpc::CallbackServerContext& context_;
  BatchPtr incoming_;
  telemetry::v1::FlowResponse response_;

  bool have_pending_ = false;
  std::vector<uint64_t> have_;
  std::deque<telemetry::v1::Nack> nacks_;
  std::vector<uint64_t> acks_;
  CreditAmount credit_;
  bool drain_ = false;
  bool heartbeat_ = false;

  bool writing_ = false;
  bool closing_ = false;
  bool flush_ = false;
  bool finished_ = false;
  bool cancelled_ = false;
  grpc::Status close_status_;
  absl::Duration last_received_;
  absl::Duration last_written_;  // when the last write began
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_SERVER_STREAM_H_
