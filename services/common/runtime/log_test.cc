#include "services/common/runtime/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"
#include "spdlog/spdlog.h"

namespace nightjar::runtime {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class LogTest : public testing::Test {
 protected:
  void SetUp() override { unlink(path_.c_str()); }
  void TearDown() override { EXPECT_OK(InitLog("stderr", "info", "test")); }

  static std::string Content(const std::string& path) {
    std::ostringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
  }

  const std::string path_ = testing::TempDir() + "/stage.log";
};

TEST_F(LogTest, LineHasTimeLevelStageAndText) {
  ASSERT_OK(InitLog(path_, "info", "scorer"));
  spdlog::warn("{} lists", 3);
  EXPECT_THAT(Content(path_), MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                                           "\\.[0-9]{3}Z WARN scorer: 3 lists\n"));
}

TEST_F(LogTest, TextFromOutsideCannotForgeALineOrCommandATerminal) {
  ASSERT_OK(InitLog(path_, "info", "scorer"));
  spdlog::info("engine says {}", "ok\n2026-11-24T12:00:00.123Z INFO scorer: forged\x1B[2J");
  const std::string content = Content(path_);
  EXPECT_EQ(std::count(content.begin(), content.end(), '\n'), 1);
  EXPECT_THAT(content, HasSubstr("ok\\n2026-11-24T12:00:00.123Z INFO scorer: forged\\x1b[2J"));
}

TEST_F(LogTest, FileIsForItsOwnerOnlyAndAppendedTo) {
  std::ofstream(path_) << "before\n";
  chmod(path_.c_str(), 0600);
  ASSERT_OK(InitLog(path_, "info", "scorer"));
  spdlog::info("after");
  EXPECT_THAT(Content(path_), MatchesRegex("before\n.* INFO scorer: after\n"));

  const std::string fresh = path_ + ".fresh";
  unlink(fresh.c_str());
  ASSERT_OK(InitLog(fresh, "info", "scorer"));
  struct stat info {};
  ASSERT_EQ(stat(fresh.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(LogTest, LevelCanBeChangedAndTellsTheOneBefore) {
  ASSERT_OK(InitLog(path_, "warn", "scorer"));
  spdlog::info("hidden");
  EXPECT_THAT(SetLogLevel("debug"), IsOkAndHolds("warn"));
  spdlog::debug("shown");
  EXPECT_THAT(SetLogLevel("error"), IsOkAndHolds("debug"));
  EXPECT_THAT(SetLogLevel("loud\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"loud\\n\"")));
  EXPECT_THAT(SetLogLevel("error"), IsOkAndHolds("error"));
  LogAlways("operator\n");
  EXPECT_THAT(Content(path_), HasSubstr("INFO scorer: operator\\n\n"));
  EXPECT_THAT(Content(path_), HasSubstr("DEBUG scorer: shown"));
  EXPECT_THAT(Content(path_), Not(HasSubstr("hidden")));
}

TEST_F(LogTest, ReopenFollowsARotatedFile) {
  ASSERT_OK(InitLog(path_, "info", "scorer"));
  spdlog::info("first");
  const std::string rotated = path_ + ".1";
  ASSERT_EQ(std::rename(path_.c_str(), rotated.c_str()), 0);
  ReopenLog();
  spdlog::info("second");
  EXPECT_THAT(Content(rotated), HasSubstr("first"));
  EXPECT_THAT(Content(rotated), Not(HasSubstr("second")));
  EXPECT_THAT(Content(path_), HasSubstr("second"));
}

TEST_F(LogTest, LinesThatCannotBeWrittenAreCountedUntilTheyCan) {
  const int out = dup(STDOUT_FILENO);
  const int full = open("/dev/full", O_WRONLY);
  const int file = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ASSERT_OK(InitLog("stdout", "info", "scorer"));
  dup2(full, STDOUT_FILENO);
  spdlog::info("lost");
  spdlog::info("lost too");
  dup2(file, STDOUT_FILENO);
  spdlog::info("written");
  dup2(out, STDOUT_FILENO);
  for (const int fd : {out, full, file}) close(fd);
  EXPECT_THAT(Content(path_), MatchesRegex(".* WARN scorer: 2 log lines could not be written\n"
                                           ".* INFO scorer: written\n"));
}

TEST_F(LogTest, UnknownLevelIsRefusedByName) {
  const absl::Status status = InitLog("stderr", "verbose", "scorer");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"verbose\"")));
  EXPECT_EQ(ExitStatus(status), kExitConfig);
}

TEST_F(LogTest, PathThatCannotBeOpenedIsRefusedWithTheReason) {
  const absl::Status status = InitLog("/nonexistent/stage.log", "info", "scorer");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("/nonexistent/stage.log\" cannot be opened: No such")));
  EXPECT_EQ(ExitStatus(status), kExitConfig);
}

}  // namespace
}  // namespace nightjar::runtime
