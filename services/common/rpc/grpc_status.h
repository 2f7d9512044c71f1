// absl::Status and grpc::Status, one to one: the only place where the two meet.
#ifndef SERVICES_COMMON_RPC_GRPC_STATUS_H_
#define SERVICES_COMMON_RPC_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace nightjar::rpc {

// Code and message are kept; details and payloads are not carried. A code that the other side made
// up becomes unknown.
grpc::Status ToGrpc(const absl::Status& status);
absl::Status ToAbsl(const grpc::Status& status);

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_GRPC_STATUS_H_
