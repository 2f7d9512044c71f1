#include "services/analytics_engine/keys_service.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "services/common/rpc/grpc_status.h"
#include "services/common/rpc/settings.h"
#include "services/common/runtime/log.h"
#include "services/common/runtime/printable.h"
#include "services/common/status/status_macros.h"

namespace nightjar::analytics_engine {
namespace {

using google::protobuf::util::TimeUtil;

constexpr size_t kLoggedTextBytesMax = 300;

constexpr std::pair<admin::v1::KeyScope, KeyScopes> kScopes[] = {
    {admin::v1::KEY_SCOPE_INGEST, kIngestScope},
    {admin::v1::KEY_SCOPE_ALERTS, kAlertsScope},
    {admin::v1::KEY_SCOPE_ADMIN, kAdminScope},
};

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  return TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(time));
}

void ToProto(const KeyInfo& key, admin::v1::EngineKey* out) {
  out->set_prefix(key.prefix);
  for (const auto& [wire, scope] : kScopes) {
    if ((key.scopes & scope) != 0) out->add_scopes(wire);
  }
  out->set_description(key.description);
  *out->mutable_created_at() = ToTimestamp(key.created_at);
  if (key.expires_at) *out->mutable_expires_at() = ToTimestamp(*key.expires_at);
  if (key.used_at) *out->mutable_last_used_at() = ToTimestamp(*key.used_at);
  if (key.revoked_at) *out->mutable_revoked_at() = ToTimestamp(*key.revoked_at);
}

grpc::ServerUnaryReactor* Reply(grpc::CallbackServerContext& context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  reactor->Finish(rpc::ToGrpc(status));
  return reactor;
}

void LogDone(grpc::CallbackServerContext& context, absl::string_view what,
             const admin::v1::EngineKey& key) {
  runtime::LogAlways(absl::StrCat("API key ", key.prefix(), "... ", what, " by ",
                                  rpc::PeerName(*context.auth_context(), context.peer()), ": ",
                                  runtime::Printable(key.description(), kLoggedTextBytesMax)));
}

}  // namespace

KeysService::KeysService(KeyStore& keys, const rpc::Security& security)
    : keys_(keys), security_(security) {
  rpc::PinCallbackQueue();
}

grpc::ServerUnaryReactor* KeysService::CreateKey(grpc::CallbackServerContext* context,
                                                 const admin::v1::CreateKeyRequest* request,
                                                 admin::v1::CreateKeyResponse* response) {
  absl::Status status = Authorize(*context);
  if (status.ok()) status = Create(*request, response);
  if (status.ok()) LogDone(*context, "made", response->info());
  return Reply(*context, status);
}

absl::Status KeysService::Create(const admin::v1::CreateKeyRequest& request,
                                 admin::v1::CreateKeyResponse* response) {
  uint32_t scopes = kNoScope;
  for (const int wanted : request.scopes()) {
    uint32_t known = kNoScope;
    for (const auto& [wire, scope] : kScopes) known |= wire == wanted ? scope : kNoScope;
    if (known == kNoScope) {
      return absl::InvalidArgumentError(absl::StrCat("scope ", wanted, " is unknown"));
    }
    scopes |= known;
  }
  const uint64_t lifetime_max = absl::ToInt64Seconds(kKeyLifetimeMax);
  // One second over the limit stands for whatever a duration could not hold.
  const uint64_t lifetime = std::min(request.lifetime_seconds(), lifetime_max + 1);
  config::Secret text;
  ASSIGN_OR_RETURN(const KeyInfo key,
                   keys_.Create(scopes, request.description(), absl::Seconds(lifetime), &text));
  response->set_key(text.reveal());
  ToProto(key, response->mutable_info());
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* KeysService::ListKeys(grpc::CallbackServerContext* context,
                                                const admin::v1::ListKeysRequest*,
                                                admin::v1::ListKeysResponse* response) {
  const absl::Status status = Authorize(*context);
  if (status.ok()) {
    for (const KeyInfo& key : keys_.List()) ToProto(key, response->add_keys());
  }
  return Reply(*context, status);
}

grpc::ServerUnaryReactor* KeysService::RevokeKey(grpc::CallbackServerContext* context,
                                                 const admin::v1::RevokeKeyRequest* request,
                                                 admin::v1::RevokeKeyResponse* response) {
  absl::Status status = Authorize(*context);
  if (status.ok()) {
    const absl::StatusOr<KeyInfo> key = keys_.Revoke(request->prefix());
    status = key.status();
    if (status.ok()) {
      ToProto(*key, response->mutable_revoked());
      LogDone(*context, "revoked", response->revoked());
    }
  }
  return Reply(*context, status);
}

absl::Status KeysService::Authorize(grpc::CallbackServerContext& context) const {
  return security_.Authorize(*context.auth_context(), context.peer(), rpc::Role::kOperate);
}

}  // namespace nightjar::analytics_engine
