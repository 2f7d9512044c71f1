// gRPC settings that both ends of every connection between stages share.
#ifndef SERVICES_COMMON_RPC_SETTINGS_H_
#define SERVICES_COMMON_RPC_SETTINGS_H_

#include "grpcpp/server_builder.h"
#include "grpcpp/support/channel_arguments.h"

namespace nightjar::rpc {

// Keepalive, message size, balancing over healthy addresses and a quick reconnect; for every
// channel to a stage.
grpc::ChannelArguments ClientChannelArguments();

// Keepalive, connection age and the limits against a bad peer; for every server of a stage.
void ConfigureServer(grpc::ServerBuilder& builder);

// Keeps gRPC's process-wide callback queue for ever; for every user of the callback API, before its
// first call. Without it gRPC 1.51 now and then aborts when the last callback channel or server of
// the process goes away (a thread of the queue drops a reference that is gone: "ref_counted.h:
// assertion failed: prior > 0").
void PinCallbackQueue();

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_SETTINGS_H_
