// The channels on which a process sends telemetry, shared by its streams.
#ifndef SERVICES_COMMON_RPC_FLOW_CHANNELS_H_
#define SERVICES_COMMON_RPC_FLOW_CHANNELS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "proto/telemetry/v1/telemetry_service.grpc.pb.h"
#include "services/common/rpc/security.h"

namespace nightjar::rpc {

// One channel an address. Where a name stands for several takers, the streams of its channel go
// round them. Immutable, thread-safe.
class FlowChannels {
 public:
  // At least one address.
  FlowChannels(const std::vector<std::string>& addresses, const Security& security);

  size_t size() const { return channels_.size(); }
  const std::string& address(size_t i) const { return channels_[i].address; }
  telemetry::v1::Telemetry::Stub& stub(size_t i) const { return *channels_[i].stub; }
  bool tls() const { return tls_; }

 private:
  struct Channel {
    std::string address;
    std::unique_ptr<telemetry::v1::Telemetry::Stub> stub;
  };
  std::vector<Channel> channels_;
  const bool tls_;
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_FLOW_CHANNELS_H_
