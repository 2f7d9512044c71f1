#include "services/analytics_engine/store/database.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_engine {
namespace {

using testing::HasSubstr;

std::string FreshPath(const std::string& name) {
  const std::string path = testing::TempDir() + name;
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
  return path;
}

int64_t CountKeys(Database& database) {
  auto count = database.Prepare("SELECT count(*) FROM keys");
  EXPECT_OK(count);
  EXPECT_TRUE(*count->Step());
  return count->Integer(0);
}

constexpr char kInsertKey[] = "INSERT INTO keys VALUES ('h', 'p', 1, '', 0, NULL, NULL, NULL)";

TEST(Database, IsMadeWithModeOfOwnerOnlyAndFoundAgain) {
  const std::string path = FreshPath("made.db");
  {
    const auto database = Database::Open(path);
    ASSERT_OK(database);
    ASSERT_OK((*database)->Execute(kInsertKey));
  }
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto database = Database::Open(path);
  ASSERT_OK(database);
  EXPECT_EQ(CountKeys(**database), 1);
}

TEST(Database, WhatIsNotCommittedIsGone) {
  const auto database = Database::Open(FreshPath("rollback.db"));
  ASSERT_OK(database);
  {
    const auto transaction = Transaction::Begin(**database);
    ASSERT_OK(transaction);
    ASSERT_OK((*database)->Execute(kInsertKey));
  }
  EXPECT_EQ(CountKeys(**database), 0);
}

TEST(Database, OfANewerVersionIsRefused) {
  const std::string path = FreshPath("newer.db");
  {
    const auto database = Database::Open(path);
    ASSERT_OK(database);
    ASSERT_OK((*database)->Execute("PRAGMA user_version = 99"));
  }
  const absl::Status status = Database::Open(path).status();
  EXPECT_EQ(ExitStatus(status), kExitConfig);
  EXPECT_THAT(std::string(status.message()), HasSubstr("made by a newer Nightjar"));
}

TEST(Database, ThatIsNoDatabaseIsRefusedWithTheWayOut) {
  const std::string path = FreshPath("text.db");
  std::ofstream(path) << std::string(5000, 'x');
  const absl::Status status = Database::Open(path).status();
  EXPECT_EQ(ExitStatus(status), kExitConfig);
  EXPECT_THAT(std::string(status.message()), HasSubstr("move the file away"));
}

TEST(Database, WithoutItsFolderIsRefused) {
  const absl::Status status = Database::Open("/nonexistent/engine.db").status();
  EXPECT_EQ(ExitStatus(status), kExitConfig);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nonexistent/engine.db"));
}

}  // namespace
}  // namespace nightjar::analytics_engine
