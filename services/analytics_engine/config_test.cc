#include "services/analytics_engine/config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/network/address.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_engine {
namespace {

using network::Address;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

config::Config Base() {
  config::Config config;
  config.path = "config.yml";
  config.data.dir = "/state";
  return config;
}

TEST(EngineConfig, DefaultsStayOnLoopbackAndInTheStateFolder) {
  const auto config = FromConfig(Base());
  ASSERT_OK(config);
  EXPECT_EQ(config->api.listen.ToString(), "127.0.0.1:7480");
  EXPECT_EQ(config->api.certificate_file, "");
  EXPECT_EQ(config->folder, "/state/analytics_engine");
  EXPECT_EQ(config->database, "/state/analytics_engine/engine.db");
  EXPECT_EQ(config->local_key, "");
  ASSERT_TRUE(config->api_peers.has_value());
  EXPECT_TRUE(config->api_peers->Contains(*Address::Parse("127.0.0.1")));
  EXPECT_FALSE(config->api_peers->Contains(*Address::Parse("10.0.0.1")));
}

TEST(EngineConfig, ALocalEngineMakesAKeyForItsHost) {
  config::Config from = Base();
  from.engine.local = true;
  EXPECT_EQ(FromConfig(from)->local_key, "/state/analytics_engine/local.key");
}

TEST(EngineConfig, OffLoopbackNeedsACertificate) {
  config::Config from = Base();
  from.analytics_engine.listen = "0.0.0.0:7480";
  const absl::Status refused = FromConfig(from).status();
  EXPECT_EQ(ExitStatus(refused), kExitConfig);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("analytics_engine.listen 0.0.0.0:7480"));
  from.security.certificate_file = "/tls/cert.pem";
  from.security.key_file = "/tls/key.pem";
  const auto config = FromConfig(from);
  ASSERT_OK(config);
  EXPECT_EQ(config->api.certificate_file, "/tls/cert.pem");
  EXPECT_FALSE(config->api_peers.has_value());
}

TEST(EngineConfig, OrThePlainTextNetworksByName) {
  config::Config from = Base();
  from.analytics_engine.listen = "0.0.0.0:7480";
  from.security.plaintext_networks = {"10.1.0.0/16"};
  auto config = FromConfig(from);
  ASSERT_OK(config);
  EXPECT_EQ(config->api.certificate_file, "");
  EXPECT_TRUE(config->api_peers->Contains(*Address::Parse("10.1.2.3")));
  EXPECT_TRUE(config->api_peers->Contains(*Address::Parse("127.0.0.1")));
  EXPECT_FALSE(config->api_peers->Contains(*Address::Parse("10.2.0.1")));
  from.security.plaintext_networks = {"10.1/16"};
  EXPECT_EQ(ExitStatus(FromConfig(from).status()), kExitConfig);
}

config::ApiKeyConfig Key(const std::string& name, const std::string& text) {
  return {name, config::Secret(text), {"ingest", "alerts"}, 7};
}

TEST(EngineConfig, KeysOfClientsAreTaken) {
  config::Config from = Base();
  from.analytics_engine.api_keys = {Key("pipeline", "0123456789abcdefghijklmn")};
  const auto config = FromConfig(from);
  ASSERT_OK(config);
  EXPECT_EQ(config->api_keys[0].name, "pipeline");
  EXPECT_EQ(config->api_keys[0].text.reveal(), "0123456789abcdefghijklmn");
  EXPECT_EQ(config->api_keys[0].scopes, kIngestScope | kAlertsScope);
}

TEST(EngineConfig, KeysThatCannotBeUsedAreRefusedWithoutTheirText) {
  const std::string good = "0123456789abcdefghijklmn";
  const std::pair<std::string, const char*> kWrong[] = {
      {"canary", "the key of b has 6 characters; 24 to 256 are wanted"},
      {std::string(257, 'x'), "has 257 characters"},
      {"canary canary canary canary", "cannot have: a space"},
      {"canary:canary:canary:canary", "cannot have: a space, a colon"},
      {good, "the key of b is also that of a"}};
  for (const auto& [text, message] : kWrong) {
    config::Config from = Base();
    from.analytics_engine.api_keys = {Key("a", good), Key("b", text)};
    const absl::Status refused = FromConfig(from).status();
    EXPECT_EQ(ExitStatus(refused), kExitConfig);
    EXPECT_THAT(std::string(refused.message()),
                AllOf(StartsWith("config.yml:7: analytics_engine.api_keys: "), HasSubstr(message),
                      Not(HasSubstr("canary")), Not(HasSubstr(good))));
  }
}

TEST(EngineConfig, OnLoopbackACertificateChangesNothing) {
  config::Config from = Base();
  from.analytics_engine.listen = "127.0.0.1:0";
  from.security.certificate_file = "/tls/cert.pem";
  from.security.key_file = "/tls/key.pem";
  EXPECT_EQ(FromConfig(from)->api.certificate_file, "");
}

}  // namespace
}  // namespace nightjar::analytics_engine
