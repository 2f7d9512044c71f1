#include "services/common/rpc/settings.h"

#include <memory>

#include "grpc/grpc.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/support/client_callback.h"
#include "proto/telemetry/v1/telemetry_service.grpc.pb.h"
#include "services/common/rpc/batch_message.h"

namespace nightjar::rpc {
namespace {

constexpr int kKeepaliveTimeMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
// Below the client's keepalive time; the default of 300 s would answer our pings with GOAWAY.
constexpr int kPingIntervalMinMs = 20'000;
constexpr int kPingStrikesMax = 2;
// Only a connection that ends makes a client look at DNS again, and so find new takers.
constexpr int kConnectionAgeMs = 600'000;
constexpr int kConnectionAgeGraceMs = 60'000;
constexpr int kServerMemoryBytesMax = 64 << 20;
constexpr int kConcurrentStreamsMax = 64;
constexpr int kMetadataBytesMax = 8 << 10;
constexpr int kLookaheadBytes = 1 << 20;
// Flow paces its own reconnects; the channel below must not add minutes to them.
constexpr int kChannelBackoffMinMs = 100;
constexpr int kChannelBackoffMaxMs = 1'000;
// A DNS server that says nothing about a name it does not know (a container network without a way
// out, while a stage is away) would hold up the reconnect for 75 s, and the next question for 30 s.
constexpr int kDnsTimeoutMs = 2'000;
constexpr int kDnsIntervalMinMs = 1'000;

// A taker that drains says NOT_SERVING, and round_robin (not pick_first) heeds it.
constexpr char kServiceConfig[] =
    R"({"loadBalancingConfig": [{"round_robin": {}}],)"
    R"( "healthCheckConfig": {"serviceName": "nightjar.telemetry.v1.Telemetry"}})";

}  // namespace

grpc::ChannelArguments ClientChannelArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // the default stops pings when quiet
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kChannelBackoffMinMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kChannelBackoffMinMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kChannelBackoffMaxMs);
  arguments.SetInt(GRPC_ARG_DNS_ARES_QUERY_TIMEOUT_MS, kDnsTimeoutMs);
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, kDnsIntervalMinMs);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // one connection each, never shared
  arguments.SetMaxReceiveMessageSize(kReceiveBytesMax);
  arguments.SetServiceConfigJSON(kServiceConfig);
  return arguments;
}

void ConfigureServer(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kReceiveBytesMax);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMinMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kPingStrikesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kConnectionAgeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kConnectionAgeGraceMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kConcurrentStreamsMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
  // Two servers on one port would share its connections without a word.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  grpc::ResourceQuota quota("stage");
  quota.Resize(kServerMemoryBytesMax);
  builder.SetResourceQuota(quota);
}

namespace {

// A call that is never started, on a channel to nowhere: it holds the queue and costs nothing else.
struct QueuePin : grpc::ClientBidiReactor<telemetry::v1::FlowRequest, telemetry::v1::FlowResponse> {
  QueuePin() { stub->async()->Flow(&context, this); }

  std::unique_ptr<telemetry::v1::Telemetry::Stub> stub = telemetry::v1::Telemetry::NewStub(
      grpc::CreateChannel("127.0.0.1:1", grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
};

}  // namespace

void PinCallbackQueue() {
  // Used: so that the pointer stays in memory, where leak checkers find it.
  [[gnu::used]] static const QueuePin* const pin = new QueuePin;
}

}  // namespace nightjar::rpc
