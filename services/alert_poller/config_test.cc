#include "services/alert_poller/config.h"

#include <cstdio>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::alert_poller {
namespace {

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

TEST(PollerConfigTest, DefaultsAreNfrs) {
  const auto config = FromConfig(Base());
  ASSERT_OK(config);
  EXPECT_EQ(config->poller.poll_interval, absl::Minutes(5));
  EXPECT_EQ(config->state_folder, "/state/alert_poller");
  ASSERT_EQ(config->sinks.size(), 1u);
  EXPECT_EQ(config->sinks[0].path, "stderr");
  EXPECT_EQ(config->destination,
            "alerts come from https://api.alphasoc.net every 5m and go to stderr");
}

TEST(PollerConfigTest, EverySinkOfNfrIsKnown) {
  config::Config from = Base();
  from.outputs.file = "/var/log/alerts";
  from.outputs.format = "cef";
  from.outputs.syslog_ip = "192.0.2.1";
  from.outputs.syslog_proto = "udp";
  from.outputs.graylog_uri = "udp://[2001:db8::1]:12201";
  from.outputs.graylog_level = 4;
  const auto config = FromConfig(from);
  ASSERT_OK(config);
  ASSERT_EQ(config->sinks.size(), 3u);
  EXPECT_EQ(config->sinks[0].format, SinkConfig::Format::kCef);
  EXPECT_EQ(config->sinks[1].address.ToString(), "udp://[2001:db8::1]:12201");
  EXPECT_EQ(config->sinks[1].level, 4);
  EXPECT_EQ(config->sinks[2].address.ToString(), "udp://192.0.2.1:514");
  EXPECT_EQ(config->sinks[2].format, SinkConfig::Format::kJson);
}

TEST(PollerConfigTest, WithOutputsOffNoKeyIsNeeded) {
  config::Config from = Base();
  from.outputs.enabled = false;
  from.engine.api_key = config::Secret("");
  const auto config = FromConfig(from);
  ASSERT_OK(config);
  EXPECT_FALSE(config->enabled);
  EXPECT_THAT(config->destination, HasSubstr("outputs.enabled is false"));
}

TEST(PollerConfigTest, WhatCannotWorkIsRefusedWithTheKey) {
  config::Config from = Base();
  from.engine.api_key = config::Secret("");
  ExpectRefused(from, "engine.api_key");
  from = Base();
  from.engine.hosts = {"ftp://x"};
  ExpectRefused(from, "engine.host");
  from = Base();
  from.outputs.file = "";
  ExpectRefused(from, "outputs");
  from = Base();
  from.outputs.graylog_uri = "tcp://graylog:0";
  ExpectRefused(from, "outputs.graylog.uri");
}

TEST(PollerConfigTest, NfrsBookmarkIsReadAsItStands) {
  const std::string path = testing::TempDir() + "/nfr.data";
  std::remove(path.c_str());
  EXPECT_THAT(NfrBookmark(path), IsOkAndHolds(""));
  EXPECT_THAT(NfrBookmark(""), IsOkAndHolds(""));
  std::ofstream(path) << "6-8263d641\n";
  EXPECT_THAT(NfrBookmark(path), IsOkAndHolds("6-8263d641"));
  std::ofstream(path) << std::string(2000, 'x');
  EXPECT_EQ(ExitStatus(NfrBookmark(path).status()), kExitConfig);
}

}  // namespace
}  // namespace nightjar::alert_poller
