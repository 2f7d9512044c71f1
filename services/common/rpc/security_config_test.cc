#include "services/common/rpc/security_config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::rpc {
namespace {

using testing::ElementsAre;

TEST(SecurityConfig, EveryKeyReachesTheOptionOfItsName) {
  config::SecurityConfig config;
  config.ca_file = "ca";
  config.certificate_file = "certificate";
  config.key_file = "key";
  config.flow_peers = {"flow"};
  config.view_peers = {"view"};
  config.tap_peers = {"tap"};
  config.operate_peers = {"operate"};
  config.plaintext_networks = {"10.0.0.0/8"};
  const SecurityOptions options = FromConfig(config);
  EXPECT_EQ(options.ca_file, "ca");
  EXPECT_EQ(options.certificate_file, "certificate");
  EXPECT_EQ(options.key_file, "key");
  EXPECT_THAT(options.flow_peers, ElementsAre("flow"));
  EXPECT_THAT(options.view_peers, ElementsAre("view"));
  EXPECT_THAT(options.tap_peers, ElementsAre("tap"));
  EXPECT_THAT(options.operate_peers, ElementsAre("operate"));
  EXPECT_THAT(options.plaintext_networks, ElementsAre("10.0.0.0/8"));
}

}  // namespace
}  // namespace nightjar::rpc
