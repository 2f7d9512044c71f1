#include "services/common/rpc/flow_channels.h"

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "services/common/rpc/settings.h"
#include "services/common/status/check.h"

namespace nightjar::rpc {

FlowChannels::FlowChannels(const std::vector<std::string>& addresses, const Security& security)
    : tls_(security.tls()) {
  CHECK(!addresses.empty());
  PinCallbackQueue();
  const auto credentials = security.channel_credentials();
  for (const std::string& address : addresses) {
    channels_.push_back({address, telemetry::v1::Telemetry::NewStub(grpc::CreateCustomChannel(
                                      address, credentials, ClientChannelArguments()))});
  }
}

}  // namespace nightjar::rpc
