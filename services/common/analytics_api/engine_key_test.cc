#include "services/common/analytics_api/engine_key.h"

#include <sys/stat.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_api {
namespace {

using testing::HasSubstr;

config::Config Local(const std::string& name) {
  config::Config config;
  config.path = "config.yml";
  config.engine.local = true;
  config.data.dir = testing::TempDir() + name;
  mkdir(config.data.dir.c_str(), 0700);
  mkdir((config.data.dir + "/analytics_engine").c_str(), 0700);
  return config;
}

TEST(EngineKey, TheConfiguredKeyComesFirst) {
  config::Config config = Local("configured");
  config.engine.api_key = config::Secret("mine");
  std::ofstream(LocalEngineKeyPath(config)) << "local\n";
  EXPECT_EQ(EngineKey(config)->reveal(), "mine");
}

TEST(EngineKey, OfTheLocalEngineIsReadFromItsFile) {
  const config::Config config = Local("local");
  std::ofstream(LocalEngineKeyPath(config)) << "njk_abc\n";
  EXPECT_EQ(EngineKey(config)->reveal(), "njk_abc");
}

TEST(EngineKey, OfALocalEngineThatNeverRanIsEmpty) {
  const auto key = EngineKey(Local("first"));
  ASSERT_OK(key);
  EXPECT_TRUE(key->empty());
}

TEST(EngineKey, WithoutAnyPlaceForAKeyIsRefused) {
  config::Config config;
  config.path = "config.yml";
  const auto key = EngineKey(config);
  EXPECT_EQ(ExitStatus(key.status()), kExitConfig);
  EXPECT_THAT(std::string(key.status().message()),
              HasSubstr("config.yml: engine.api_key is missing"));
}

TEST(EngineKey, AFileThatCannotBeReadIsRefused) {
  const config::Config config = Local("folder");
  mkdir(LocalEngineKeyPath(config).c_str(), 0700);
  EXPECT_EQ(ExitStatus(EngineKey(config).status()), kExitConfig);
}

}  // namespace
}  // namespace nightjar::analytics_api
