// gRPC's own log lines, in ours.
#ifndef SERVICES_COMMON_RPC_GRPC_LOG_H_
#define SERVICES_COMMON_RPC_GRPC_LOG_H_

namespace nightjar::rpc {

// From now on gRPC writes to the default logger: its errors as warnings, since our calls are made
// again, with what failed handshakes mean. LogQuota::kLinesMax of them a minute, as peers cause
// them. Once a process is enough.
void TakeLogOfGrpc();

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_GRPC_LOG_H_
