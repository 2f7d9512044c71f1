// What a message of Telemetry/Flow must keep to, at both ends.
#ifndef SERVICES_COMMON_RPC_MESSAGE_CHECK_H_
#define SERVICES_COMMON_RPC_MESSAGE_CHECK_H_

#include <cstddef>

#include "absl/status/status.h"
#include "proto/telemetry/v1/flow.pb.h"

namespace nightjar::rpc {

// The first message of a stream. kInvalidArgument: no Hello, a source's name that is empty or over
// 256 bytes, over 4096 unacked ids. kFailedPrecondition: another version of the protocol.
absl::Status CheckHello(const telemetry::v1::FlowRequest& request);

// kInvalidArgument when the batch, of `bytes` encoded, is over the limits of batch_message.h.
absl::Status CheckBatch(const telemetry::v1::Batch& batch, size_t bytes);

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_MESSAGE_CHECK_H_
