// A batch on its way: the protobuf message and the arena that holds all of it.
#ifndef SERVICES_COMMON_RPC_BATCH_MESSAGE_H_
#define SERVICES_COMMON_RPC_BATCH_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "google/protobuf/arena.h"
#include "proto/telemetry/v1/flow.pb.h"

namespace nightjar::rpc {

// Limits of one batch (docs/architecture.md). The sender splits; the receiver refuses.
inline constexpr int kBatchEventsMax = 1000;
inline constexpr size_t kBatchBytesMax = 1 << 20;    // encoded, aimed at by the sender
inline constexpr size_t kMessageBytesMax = 7 << 19;  // 3.5 MiB, encoded, never exceeded
inline constexpr size_t kReceiveBytesMax = 8 << 20;

// Version of the protocol, see Hello.
inline constexpr uint32_t kFlowProtocol = 1;

// Owns a FlowRequest on its own arena; everything goes with the object. A stage may change the
// batch in place and send the same message on, so events cross a stage without being copied. Not
// thread-safe; hand it over, do not share it.
class BatchMessage {
 public:
  BatchMessage()
      : arena_(Options()),
        request_(google::protobuf::Arena::CreateMessage<telemetry::v1::FlowRequest>(&arena_)) {}
  BatchMessage(const BatchMessage&) = delete;
  BatchMessage& operator=(const BatchMessage&) = delete;

  telemetry::v1::FlowRequest& request() { return *request_; }
  telemetry::v1::Batch& batch() { return *request_->mutable_batch(); }
  const telemetry::v1::Batch& batch() const { return request_->batch(); }

 private:
  static google::protobuf::ArenaOptions Options() {
    google::protobuf::ArenaOptions options;
    options.max_block_size = 256 << 10;  // the default of 8 KiB means dozens of blocks a batch
    return options;
  }

  google::protobuf::Arena arena_;
  telemetry::v1::FlowRequest* request_;
};

using BatchPtr = std::unique_ptr<BatchMessage>;

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_BATCH_MESSAGE_H_
