#include "services/ae_forwarder/config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::ae_forwarder {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

config::Config Base() {
  config::Config config;
  config.path = "config.yml";
  config.engine.api_key = config::Secret("key");
  config.data.dir = "/state";
  return config;
}

void ExpectRefused(const config::Config& config, const std::string& words) {
  const auto result = FromConfig(config);
  EXPECT_EQ(ExitStatus(result.status()), kExitConfig);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr(words));
}

TEST(ForwarderConfig, DefaultsGoToTheCloudCompressed) {
  const auto config = FromConfig(Base());
  ASSERT_OK(config);
  EXPECT_THAT(config->options.engine.hosts, ElementsAre("https://api.alphasoc.net"));
  EXPECT_TRUE(config->options.engine.gzip);
  EXPECT_EQ(config->options.dialect, analytics_api::Dialect::kAlphaSoc);
  EXPECT_EQ(config->state.folder, "/state/ae_forwarder");
  EXPECT_THAT(config->destination,
              AllOf(HasSubstr("https://api.alphasoc.net (kind alphasoc"), HasSubstr("are masked")));
}

TEST(ForwarderConfig, LoopbackIsNotCompressedUnlessAskedFor) {
  config::Config from = Base();
  from.engine.hosts = {"http://127.0.0.1:7480/"};
  from.engine.kind = config::EngineKind::kNightjar;
  auto config = FromConfig(from);
  ASSERT_OK(config);
  EXPECT_FALSE(config->options.engine.gzip);
  EXPECT_THAT(config->options.engine.hosts, ElementsAre("http://127.0.0.1:7480"));
  EXPECT_EQ(config->options.dialect, analytics_api::Dialect::kNightjar);
  from.forwarder.gzip = true;
  EXPECT_TRUE(FromConfig(from)->options.engine.gzip);
}

TEST(ForwarderConfig, ALocalEngineNeedsNoKeyInTheFile) {
  config::Config from = Base();
  from.engine.api_key = config::Secret();
  from.engine.local = true;
  const auto config = FromConfig(from);
  ASSERT_OK(config);
  EXPECT_TRUE(config->options.engine.api_key.empty());  // not made yet: asked for when refused
}

TEST(ForwarderConfig, WhatCannotWorkIsRefusedWithTheKeysName) {
  config::Config from = Base();
  from.engine.api_key = config::Secret();
  ExpectRefused(from, "engine.api_key is missing");
  from = Base();
  from.engine.hosts = {"https://a", "ftp://b"};
  ExpectRefused(from, "engine.host: URL ftp://b");
  from = Base();
  from.forwarder.posts_in_flight_max = -3;
  ExpectRefused(from, "forwarder.posts_in_flight_max: -3 is not between 1 and 16");
  from = Base();
  from.forwarder.body_bytes_max = 10 << 20;
  ExpectRefused(from, "forwarder.body_bytes_max");
}

}  // namespace
}  // namespace nightjar::ae_forwarder
