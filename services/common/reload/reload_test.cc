#include "services/common/reload/reload.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/metrics/metrics.h"
#include "services/common/runtime/log.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::reload {
namespace {

using testing::HasSubstr;

class ReloadTest : public testing::Test {
 protected:
  ReloadTest() : folder_(testing::TempDir() + "/reload_XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    Write("key", "first-key\n");
    Write("config.yml", absl::StrCat("engine: {api_key: \"${file:", Path("key"), "}\"}\n"));
    Write("certificate", "certificate");
    auto config = config::Load(Path("config.yml"), config::kEngine);
    EXPECT_OK(config);
    reloader_ = std::make_unique<Reloader>(*config, config::kEngine,
                                           std::vector<std::string>{Path("certificate")}, monitor_);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
  }
  // What a reload takes as the engine's key.
  std::string Reloaded() {
    std::string key;
    reloader_->Reload([&key](const config::Config& config) {
      key = config.engine.api_key.reveal();
      return absl::OkStatus();
    });
    return key;
  }
  std::string reason() const { return monitor_.Status().reason(); }

  std::string folder_;
  SimulatedClock clock_;
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "test"};
  runtime::StageMonitor monitor_{"test", ledger_, clock_};
  std::unique_ptr<Reloader> reloader_;
};

TEST_F(ReloadTest, ASecretThatIsWrittenAnewIsSeenOnce) {
  EXPECT_FALSE(reloader_->FilesChanged());
  Write("key", "second-key\n");
  EXPECT_TRUE(reloader_->FilesChanged());
  EXPECT_FALSE(reloader_->FilesChanged());
  EXPECT_EQ(Reloaded(), "second-key");
  EXPECT_FALSE(reloader_->FilesChanged());
}

TEST_F(ReloadTest, AFileThatAnotherOneReplacesIsSeen) {
  Write("key.new", "secon-key\n");  // as long as the first
  ASSERT_EQ(rename(Path("key.new").c_str(), Path("key").c_str()), 0);
  EXPECT_TRUE(reloader_->FilesChanged());
  Write("certificate", "renewed!!!!");
  EXPECT_TRUE(reloader_->FilesChanged());
}

// As Kubernetes changes a mounted secret: ..data is a link to a folder of that version.
TEST_F(ReloadTest, ALinkThatLeadsElsewhereIsSeen) {
  ASSERT_EQ(unlink(Path("key").c_str()), 0);
  Write("a", "one-key");
  Write("b", "two-key");
  ASSERT_EQ(symlink("a", Path("data").c_str()), 0);
  ASSERT_EQ(symlink("data", Path("key").c_str()), 0);
  EXPECT_TRUE(reloader_->FilesChanged());
  EXPECT_EQ(Reloaded(), "one-key");
  ASSERT_EQ(symlink("b", Path("data.new").c_str()), 0);
  ASSERT_EQ(rename(Path("data.new").c_str(), Path("data").c_str()), 0);
  EXPECT_TRUE(reloader_->FilesChanged());
  EXPECT_EQ(Reloaded(), "two-key");
}

TEST_F(ReloadTest, AMissingFileIsSaidUntilItIsBack) {
  monitor_.SetStarted();
  ASSERT_EQ(unlink(Path("key").c_str()), 0);
  EXPECT_TRUE(reloader_->FilesChanged());
  EXPECT_EQ(Reloaded(), "");
  EXPECT_THAT(reason(), HasSubstr("not reloaded, what was in force stays"));
  EXPECT_THAT(reason(), HasSubstr(Path("key") + ": cannot be read"));
  Write("key", "third-key");
  EXPECT_TRUE(reloader_->FilesChanged());
  EXPECT_EQ(Reloaded(), "third-key");
  EXPECT_EQ(reason(), "");
}

TEST_F(ReloadTest, WhatTheStageRefusesIsSaid) {
  monitor_.SetStarted();
  reloader_->Reload([](const config::Config&) { return absl::InternalError("no room"); });
  EXPECT_THAT(reason(), HasSubstr("no room"));
}

TEST_F(ReloadTest, TheLogLevelIsThatOfTheFile) {
  Write("config.yml", "log: {level: warn}\nengine: {api_key: a-key}\n");
  EXPECT_EQ(Reloaded(), "a-key");
  EXPECT_THAT(runtime::SetLogLevel("info"), IsOkAndHolds("warn"));
}

TEST_F(ReloadTest, AFileNamedLaterIsWatchedFromThen) {
  Write("other", "other-key");
  Write("config.yml", absl::StrCat("engine: {api_key: \"${file:", Path("other"), "}\"}\n"));
  EXPECT_EQ(Reloaded(), "other-key");
  Write("other", "another-key");
  EXPECT_TRUE(reloader_->FilesChanged());
  Write("key", "of no interest any more");
  EXPECT_FALSE(reloader_->FilesChanged());
}

}  // namespace
}  // namespace nightjar::reload
