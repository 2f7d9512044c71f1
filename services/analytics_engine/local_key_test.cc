#include "services/analytics_engine/local_key.h"

#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/analytics_engine/store/database.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_engine {
namespace {

constexpr char kPath[] = "/state/analytics_engine/local.key";

class LocalKeyTest : public testing::Test {
 protected:
  LocalKeyTest() {
    const std::string path =
        testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".db";
    for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
    auto database = Database::Open(path);
    EXPECT_OK(database);
    database_ = *std::move(database);
    auto keys = KeyStore::Open(*database_, clock_);
    EXPECT_OK(keys);
    keys_ = *std::move(keys);
    EXPECT_OK(files_.MakeFolder("/state/analytics_engine"));
  }
  std::string KeyInFile() {
    auto text = files_.Read(kPath);
    EXPECT_OK(text);
    EXPECT_EQ(text->back(), '\n');
    text->pop_back();
    return *text;
  }

  SimulatedClock clock_;
  checkpoint::FakeFileSystem files_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<KeyStore> keys_;
};

TEST_F(LocalKeyTest, IsMadeOnceForIngestAndAlerts) {
  ASSERT_OK(EnsureLocalKey(*keys_, files_, kPath));
  const std::string key = KeyInFile();
  EXPECT_OK(keys_->Check(key, kIngestScope));
  EXPECT_OK(keys_->Check(key, kAlertsScope));
  ASSERT_OK(EnsureLocalKey(*keys_, files_, kPath));
  EXPECT_EQ(KeyInFile(), key);
  EXPECT_EQ(keys_->List().size(), 1u);
}

TEST_F(LocalKeyTest, ThatTheDatabaseDoesNotKnowIsReplaced) {
  auto file = files_.OpenAppend(kPath, /*truncate=*/true);
  ASSERT_OK(file);
  ASSERT_OK((*file)->Append("njk_of_a_database_that_was_wiped\n"));
  ASSERT_OK(EnsureLocalKey(*keys_, files_, kPath));
  EXPECT_OK(keys_->Check(KeyInFile(), kIngestScope));
}

TEST_F(LocalKeyTest, ThatWasRevokedIsReplaced) {
  ASSERT_OK(EnsureLocalKey(*keys_, files_, kPath));
  const std::string revoked = KeyInFile();
  ASSERT_OK(keys_->Revoke(keys_->List()[0].prefix));
  ASSERT_OK(EnsureLocalKey(*keys_, files_, kPath));
  EXPECT_NE(KeyInFile(), revoked);
  EXPECT_OK(keys_->Check(KeyInFile(), kAlertsScope));
}

TEST_F(LocalKeyTest, WithoutItsFolderIsRefused) {
  EXPECT_EQ(ExitStatus(EnsureLocalKey(*keys_, files_, "/nowhere/local.key")), kExitConfig);
}

}  // namespace
}  // namespace nightjar::analytics_engine
