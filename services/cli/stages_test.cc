#include "services/cli/stages.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

std::vector<std::string> Names(const config::Config& config) {
  std::vector<std::string> names;
  for (const Stage& stage : NeededStages(config)) names.push_back(stage.name);
  return names;
}

TEST(StagesTest, AnEngineElsewhereThatHasItsKeysFromHereIsDeployedAndNotNeeded) {
  config::Config config;
  config.engine.kind = config::EngineKind::kNightjar;
  EXPECT_THAT(DeployedStages(config), ElementsAre(Field(&Stage::name, "alert-poller")));
  config.analytics_engine.api_keys.emplace_back();
  EXPECT_THAT(DeployedStages(config), ElementsAre(Field(&Stage::name, "analytics-engine"),
                                                  Field(&Stage::name, "alert-poller")));
  EXPECT_THAT(Names(config), ElementsAre("alert-poller"));
  config.engine.kind = config::EngineKind::kAlphaSoc;
  EXPECT_THAT(DeployedStages(config), ElementsAre(Field(&Stage::name, "alert-poller")));
}

TEST(StagesTest, OnlyWhatTheConfigurationUsesIsNeededSinksFirst) {
  config::Config config;
  config.elastic.enabled = true;
  config.outputs.enabled = false;
  EXPECT_THAT(Names(config), ElementsAre("ae-forwarder", "scorer", "es-reader"));
  config.outputs.enabled = true;
  config.engine.local = true;
  EXPECT_THAT(Names(config), ElementsAre("analytics-engine", "alert-poller", "ae-forwarder",
                                         "scorer", "es-reader"));
  config.elastic.enabled = false;
  config.engine.local = false;
  EXPECT_THAT(Names(config), ElementsAre("alert-poller"));
}

TEST(StagesTest, AStageIsFoundByItsNameAndItsFolder) {
  config::Config config;
  config.services.es_reader.addresses = {"127.0.0.1:9"};
  EXPECT_THAT(FindStage(config, "es-reader")->addresses, ElementsAre("127.0.0.1:9"));
  EXPECT_EQ(FindStage(config, "es_reader")->name, "es-reader");
  const absl::Status unknown = FindStage(config, "reader").status();
  EXPECT_THAT(unknown, StatusIs(absl::StatusCode::kInvalidArgument,
                                AllOf(HasSubstr("\"reader\""), HasSubstr("es-reader, scorer"))));
  EXPECT_EQ(ExitStatus(unknown), kExitUsage);
}

class FindProgramTest : public testing::Test {
 protected:
  FindProgramTest() : folder_(testing::TempDir() + "/programs-XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    for (const char* name : {"/cli", "/scorer", "/libexec", "/libexec/nightjar"}) {
      EXPECT_EQ(mkdir((folder_ + name).c_str(), 0700), 0);
    }
  }
  void Make(const std::string& path) const {
    std::ofstream(folder_ + path) << "#!/bin/true\n";
    EXPECT_EQ(chmod((folder_ + path).c_str(), 0700), 0);
  }
  absl::StatusOr<std::string> Find(const std::string& libexec = "") const {
    return FindProgram({"scorer", "scorer", {}}, folder_ + "/cli", libexec);
  }

  std::string folder_;
};

TEST_F(FindProgramTest, TheNearestPlaceWins) {
  Make("/scorer/scorer");
  EXPECT_THAT(Find(), IsOkAndHolds(folder_ + "/cli/../scorer/scorer"));
  Make("/libexec/nightjar/scorer");
  EXPECT_THAT(Find(), IsOkAndHolds(folder_ + "/cli/../libexec/nightjar/scorer"));
  Make("/cli/scorer");
  EXPECT_THAT(Find(), IsOkAndHolds(folder_ + "/cli/scorer"));
  Make("/libexec/scorer");
  EXPECT_THAT(Find(folder_ + "/libexec"), IsOkAndHolds(folder_ + "/libexec/scorer"));
}

TEST_F(FindProgramTest, AMissingProgramIsNamedWithEveryPlace) {
  const absl::Status missing = Find(folder_ + "/libexec").status();
  EXPECT_THAT(missing, StatusIs(absl::StatusCode::kInvalidArgument,
                                AllOf(HasSubstr("/libexec/scorer"), HasSubstr("/cli/scorer"),
                                      HasSubstr("NIGHTJAR_LIBEXEC"))));
  EXPECT_EQ(ExitStatus(missing), kExitConfig);
}

}  // namespace
}  // namespace nightjar::cli
