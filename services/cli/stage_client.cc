#include "services/cli/stage_client.h"

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "proto/admin/v1/stage_service.grpc.pb.h"
#include "services/common/rpc/grpc_status.h"

namespace nightjar::cli {
namespace {

// A status lists every shard; a hundred thousand of them fit.
constexpr int kMessageBytesMax = 16 << 20;
// A stage that was away is found again soon: status --watch and the reporter ask for ever.
constexpr int kReconnectMaxMs = 1'000;

}  // namespace

struct StageClient::Channel {
  std::unique_ptr<admin::v1::Stage::Stub> stub;
};

StageClient::StageClient(const std::string& address, const rpc::Security& security)
    : channel_(std::make_unique<Channel>()) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  channel_->stub = admin::v1::Stage::NewStub(
      grpc::CreateCustomChannel(address, security.channel_credentials(), arguments));
}

StageClient::~StageClient() = default;

absl::StatusOr<admin::v1::StageStatus> StageClient::GetStatus(absl::Duration timeout) const {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
  admin::v1::StageStatus status;
  const grpc::Status result = channel_->stub->GetStatus(&context, {}, &status);
  if (!result.ok()) return rpc::ToAbsl(result);
  return status;
}

absl::Status StageClient::Tap(
    const admin::v1::TapRequest& request,
    const std::function<bool(const admin::v1::TapResponse&)>& take) const {
  grpc::ClientContext context;
  const auto reader = channel_->stub->Tap(&context, request);
  admin::v1::TapResponse response;
  while (reader->Read(&response)) {
    if (take(response)) continue;
    context.TryCancel();
    (void)reader->Finish();
    return absl::OkStatus();
  }
  return rpc::ToAbsl(reader->Finish());
}

}  // namespace nightjar::cli
