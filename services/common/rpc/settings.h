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

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_SETTINGS_H_
