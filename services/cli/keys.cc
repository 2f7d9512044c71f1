#include "services/cli/keys.h"

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "proto/admin/v1/engine_keys_service.grpc.pb.h"
#include "services/cli/key_texts.h"
#include "services/common/rpc/grpc_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::cli {
namespace {

constexpr std::chrono::seconds kAnswerMax(5);

void Limit(grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() + kAnswerMax);
}

}  // namespace

struct EngineKeysClient::Channel {
  std::unique_ptr<admin::v1::EngineKeys::Stub> stub;
};

EngineKeysClient::EngineKeysClient(const std::string& address, const rpc::Security& security)
    : channel_(std::make_unique<Channel>()) {
  channel_->stub =
      admin::v1::EngineKeys::NewStub(grpc::CreateChannel(address, security.channel_credentials()));
}

EngineKeysClient::~EngineKeysClient() = default;

absl::StatusOr<std::string> EngineKeysClient::Create(
    const admin::v1::CreateKeyRequest& request) const {
  grpc::ClientContext context;
  Limit(&context);
  admin::v1::CreateKeyResponse response;
  RETURN_IF_ERROR(rpc::ToAbsl(channel_->stub->CreateKey(&context, request, &response)));
  return absl::StrCat(response.key(), "\n");
}

absl::StatusOr<std::string> EngineKeysClient::List(absl::Time now) const {
  grpc::ClientContext context;
  Limit(&context);
  admin::v1::ListKeysResponse response;
  RETURN_IF_ERROR(rpc::ToAbsl(channel_->stub->ListKeys(&context, {}, &response)));
  return KeyTable(response, now);
}

absl::StatusOr<std::string> EngineKeysClient::Revoke(const std::string& prefix) const {
  grpc::ClientContext context;
  Limit(&context);
  admin::v1::RevokeKeyRequest request;
  request.set_prefix(prefix);
  admin::v1::RevokeKeyResponse response;
  RETURN_IF_ERROR(rpc::ToAbsl(channel_->stub->RevokeKey(&context, request, &response)));
  return absl::StrCat("revoked ", response.revoked().prefix(), "\n");
}

}  // namespace nightjar::cli
