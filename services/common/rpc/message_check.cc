#include "services/common/rpc/message_check.h"

#include "absl/strings/str_format.h"
#include "services/common/rpc/batch_message.h"

namespace nightjar::rpc {
namespace {

constexpr size_t kSourceNameBytesMax = 256;
constexpr int kUnackedIdsMax = 4096;  // of one Hello

}  // namespace

absl::Status CheckHello(const telemetry::v1::FlowRequest& request) {
  if (!request.has_hello()) return absl::InvalidArgumentError("the first message must be Hello");
  const telemetry::v1::Hello& hello = request.hello();
  if (hello.protocol() != kFlowProtocol) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "protocol %d of the sender, this taker speaks %d", hello.protocol(), kFlowProtocol));
  }
  if (hello.source().empty() || hello.source().size() > kSourceNameBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("Hello.source of %d bytes, allowed 1 to %d",
                                                      hello.source().size(), kSourceNameBytesMax));
  }
  if (hello.unacked_size() > kUnackedIdsMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("Hello.unacked of %d ids, limit %d", hello.unacked_size(), kUnackedIdsMax));
  }
  return absl::OkStatus();
}

absl::Status CheckBatch(const telemetry::v1::Batch& batch, size_t bytes) {
  if (batch.events_size() > kBatchEventsMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("batch of %d events, limit %d", batch.events_size(), kBatchEventsMax));
  }
  if (bytes > kMessageBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("batch of %d bytes encoded, limit %d", bytes, kMessageBytesMax));
  }
  return absl::OkStatus();
}

}  // namespace nightjar::rpc
