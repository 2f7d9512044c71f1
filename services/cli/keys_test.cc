#include "services/cli/keys.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "proto/admin/v1/engine_keys_service.grpc.pb.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// As far as the engine's keys go, an engine: without hashes and without a database.
class FakeEngineKeys final : public admin::v1::EngineKeys::Service {
 public:
  grpc::Status CreateKey(grpc::ServerContext*, const admin::v1::CreateKeyRequest* request,
                         admin::v1::CreateKeyResponse* response) override {
    admin::v1::EngineKey key;
    key.set_prefix(absl::StrCat("key", keys_.keys_size()));
    *key.mutable_scopes() = request->scopes();
    key.set_description(request->description());
    *keys_.add_keys() = key;
    response->set_key(key.prefix() + "-and-its-secret");
    *response->mutable_info() = key;
    return grpc::Status::OK;
  }
  grpc::Status ListKeys(grpc::ServerContext*, const admin::v1::ListKeysRequest*,
                        admin::v1::ListKeysResponse* response) override {
    *response = keys_;
    return grpc::Status::OK;
  }
  grpc::Status RevokeKey(grpc::ServerContext*, const admin::v1::RevokeKeyRequest* request,
                         admin::v1::RevokeKeyResponse* response) override {
    for (admin::v1::EngineKey& key : *keys_.mutable_keys()) {
      if (key.prefix() != request->prefix()) continue;
      key.mutable_revoked_at()->set_seconds(1);
      *response->mutable_revoked() = key;
      return grpc::Status::OK;
    }
    return {grpc::StatusCode::NOT_FOUND, absl::StrCat("no key ", request->prefix())};
  }

 private:
  admin::v1::ListKeysResponse keys_;
};

class KeysTest : public testing::Test {
 protected:
  KeysTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&engine_);
    server_ = builder.BuildAndStart();
    client_ = std::make_unique<EngineKeysClient>(absl::StrCat("127.0.0.1:", port), rpc::Security());
  }
  ~KeysTest() override { server_->Shutdown(); }

  FakeEngineKeys engine_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<EngineKeysClient> client_;
};

TEST_F(KeysTest, AKeyIsMadeListedWithoutItsTextAndRevoked) {
  admin::v1::CreateKeyRequest request;
  request.add_scopes(admin::v1::KEY_SCOPE_INGEST);
  request.set_description("site B");
  EXPECT_THAT(client_->Create(request), IsOkAndHolds("key0-and-its-secret\n"));
  EXPECT_THAT(client_->List(absl::UnixEpoch()),
              IsOkAndHolds(AllOf(HasSubstr("key0"), HasSubstr("valid"), HasSubstr("site B"),
                                 testing::Not(HasSubstr("secret")))));
  EXPECT_THAT(client_->Revoke("key0"), IsOkAndHolds("revoked key0\n"));
  EXPECT_THAT(client_->List(absl::UnixEpoch()), IsOkAndHolds(HasSubstr("revoked")));
}

TEST_F(KeysTest, ErrorsCarryTheWordsOfTheEngine) {
  EXPECT_THAT(client_->Revoke("key7"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no key key7")));
  server_->Shutdown();
  EXPECT_THAT(client_->List(absl::UnixEpoch()), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace nightjar::cli
