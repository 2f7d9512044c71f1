// Over real loopback servers, with certificates made here.
#include "services/common/rpc/security.h"

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/security/auth_context.h"
#include "gtest/gtest.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/flow_server.h"
#include "services/common/rpc/flow_testing.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::rpc {
namespace {

using telemetry::v1::FlowResponse;
using testing::HasSubstr;

std::string Path(const std::string& name) { return absl::StrCat(testing::TempDir(), "/", name); }

void Run(const std::string& command) {
  ASSERT_EQ(std::system(absl::StrCat(command, " 2>/dev/null").c_str()), 0) << command;
}

// A certificate authority called `name`, once.
void MakeAuthority(const std::string& name) {
  Run(absl::StrCat("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ",
                   "-days 1 -subj /CN=", name, " -keyout ", Path(name + ".key"), " -out ",
                   Path(name + ".pem")));
}

// A certificate of `authority` for the DNS name `name` (and this machine), for both sides of a
// connection.
SecurityOptions MakeIdentity(const std::string& authority, const std::string& name) {
  const std::string base = Path(authority + "-" + name);
  std::ofstream(base + ".ext") << "subjectAltName=DNS:" << name << ",IP:127.0.0.1\n";
  Run(absl::StrCat("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=",
                   name, " -keyout ", base, ".key -out ", base, ".csr"));
  Run(absl::StrCat("openssl x509 -req -days 1 -in ", base, ".csr -CA ", Path(authority + ".pem"),
                   " -CAkey ", Path(authority + ".key"), " -CAcreateserial -extfile ", base,
                   ".ext -out ", base, ".pem"));
  SecurityOptions options;
  options.ca_file = Path(authority + ".pem");
  options.certificate_file = base + ".pem";
  options.key_file = base + ".key";
  return options;
}

class MutualTls : public testing::Test {
 protected:
  MutualTls() {
    MakeAuthority("ours");
    SecurityOptions options = MakeIdentity("ours", "scorer.nightjar");
    options.flow_peers = {"reader.nightjar"};
    security_ = Security(options);
    flow_ = std::make_unique<FlowServer>(FlowServerOptions(), handler_, security_, SystemClock());
    server_ = std::make_unique<LoopbackServer>(flow_->service(), 0, security_);
  }

  // What a peer with this security gets: OK when it was let in.
  absl::Status Connect(const Security& security) {
    RawSender sender(server_->address(), security, absl::Seconds(3));
    if (sender.SendHello("reader") && sender.ReadUntil(FlowResponse::kHave).has_value()) {
      return absl::OkStatus();
    }
    return sender.Finish();
  }

  ScriptedHandler handler_{ScriptedHandler::Script::kAccept};
  Security security_;
  std::unique_ptr<FlowServer> flow_;
  std::unique_ptr<LoopbackServer> server_;
};

TEST_F(MutualTls, ThePeerNamedInTheConfigurationIsLetIn) {
  EXPECT_OK(Connect(Security(MakeIdentity("ours", "reader.nightjar"))));
}

TEST_F(MutualTls, AnotherNameOfTheSameAuthorityIsRefusedByName) {
  EXPECT_THAT(Connect(Security(MakeIdentity("ours", "console.nightjar"))),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       testing::AllOf(HasSubstr("console.nightjar"), HasSubstr("role flow"))));
}

TEST_F(MutualTls, AnotherAuthorityAndPlainTextDoNotConnect) {
  MakeAuthority("theirs");
  SecurityOptions stranger = MakeIdentity("theirs", "reader.nightjar");
  stranger.ca_file = Path("ours.pem");  // trusts us; we do not trust it
  EXPECT_THAT(Connect(Security(stranger)), testing::Not(IsOk()));
  EXPECT_THAT(Connect(Security()), testing::Not(IsOk()));
}

TEST(Security, PlainTextIsForLoopbackUnlessNetworksAreNamed) {
  EXPECT_OK(Security().Validate("127.0.0.1:0"));
  EXPECT_OK(Security().Validate("[::1]:7402"));
  EXPECT_OK(Security().Validate("localhost:7402"));
  const absl::Status refused = Security().Validate("0.0.0.0:7402");
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0.0.0.0:7402")));
  EXPECT_EQ(ExitStatus(refused), kExitConfig);
  SecurityOptions options;
  options.plaintext_networks = {"10.0.0.0/8"};
  EXPECT_OK(Security(options).Validate("0.0.0.0:7402"));
  options.plaintext_networks = {"10.0.0.0/99"};
  EXPECT_THAT(Security(options).Validate("127.0.0.1:0"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("10.0.0.0/99")));
}

TEST(Security, AHalfConfiguredTlsIsRefusedByKey) {
  SecurityOptions options;
  options.certificate_file = "/some.pem";
  EXPECT_THAT(Security(options).Validate("127.0.0.1:0"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("security.ca_file")));
  options.ca_file = "/does/not/exist.pem";
  EXPECT_THAT(Security(options).Validate("127.0.0.1:0"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("/does/not/exist.pem")));
}

// An iterator's constructor is only for its kind.
struct NoProperties : grpc::AuthPropertyIterator {
  NoProperties() = default;
};

// What a plain-text peer looks like to Authorize.
class NoCertificate final : public grpc::AuthContext {
 public:
  bool IsPeerAuthenticated() const override { return false; }
  std::vector<grpc::string_ref> GetPeerIdentity() const override { return {}; }
  std::string GetPeerIdentityPropertyName() const override { return ""; }
  std::vector<grpc::string_ref> FindPropertyValues(const std::string&) const override { return {}; }
  grpc::AuthPropertyIterator begin() const override { return NoProperties(); }
  grpc::AuthPropertyIterator end() const override { return NoProperties(); }
  void AddProperty(const std::string&, const grpc::string_ref&) override {}
  bool SetPeerIdentityPropertyName(const std::string&) override { return false; }
};

TEST(Security, NamedNetworksMaySendAndLookButNotOperate) {
  SecurityOptions options;
  options.plaintext_networks = {"10.0.0.0/8", "fd00::/8"};
  const Security security(options);
  const NoCertificate auth;
  EXPECT_OK(security.Authorize(auth, "ipv4:127.0.0.1:5000", Role::kOperate));
  EXPECT_OK(security.Authorize(auth, "ipv6:%5B::1%5D:5000", Role::kOperate));
  EXPECT_OK(security.Authorize(auth, "ipv4:10.1.2.3:5000", Role::kFlow));
  EXPECT_OK(security.Authorize(auth, "ipv6:[fd00::7]:5000", Role::kView));
  EXPECT_THAT(security.Authorize(auth, "ipv4:10.1.2.3:5000", Role::kOperate),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("role operate")));
  EXPECT_THAT(security.Authorize(auth, "ipv4:192.168.1.1:5000", Role::kFlow),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("192.168.1.1")));
  EXPECT_THAT(security.Authorize(auth, "unix:/tmp/socket", Role::kView),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

}  // namespace
}  // namespace nightjar::rpc
