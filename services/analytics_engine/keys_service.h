// nightjar.admin.v1.EngineKeys: makes, lists and revokes API keys for `nightjar keys`.
#ifndef SERVICES_ANALYTICS_ENGINE_KEYS_SERVICE_H_
#define SERVICES_ANALYTICS_ENGINE_KEYS_SERVICE_H_

#include "proto/admin/v1/engine_keys_service.grpc.pb.h"
#include "services/analytics_engine/store/key_store.h"
#include "services/common/rpc/security.h"

namespace nightjar::analytics_engine {

// Every method needs the role operate; what is done is logged with who did it. Thread-safe. `keys`
// and `security` outlive it.
class KeysService final : public admin::v1::EngineKeys::CallbackService {
 public:
  KeysService(KeyStore& keys, const rpc::Security& security);

  grpc::ServerUnaryReactor* CreateKey(grpc::CallbackServerContext* context,
                                      const admin::v1::CreateKeyRequest* request,
                                      admin::v1::CreateKeyResponse* response) override;
  grpc::ServerUnaryReactor* ListKeys(grpc::CallbackServerContext* context,
                                     const admin::v1::ListKeysRequest* request,
                                     admin::v1::ListKeysResponse* response) override;
  grpc::ServerUnaryReactor* RevokeKey(grpc::CallbackServerContext* context,
                                      const admin::v1::RevokeKeyRequest* request,
                                      admin::v1::RevokeKeyResponse* response) override;

 private:
  absl::Status Authorize(grpc::CallbackServerContext& context) const;
  absl::Status Create(const admin::v1::CreateKeyRequest& request,
                      admin::v1::CreateKeyResponse* response);

  KeyStore& keys_;
  const rpc::Security& security_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_KEYS_SERVICE_H_
