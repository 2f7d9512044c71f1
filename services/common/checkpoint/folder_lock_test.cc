#include "services/common/checkpoint/folder_lock.h"

#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/clock.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::checkpoint {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string NewFolder() {
  static int folders = 0;
  return absl::StrCat(testing::TempDir(), "/lock-", getpid(), "-", ++folders, "/reader");
}

TEST(FolderLockTest, EveryOwnerGetsAHigherTokenBeginningWithOne) {
  const std::string folder = NewFolder();
  for (uint64_t expected = 1; expected <= 12; ++expected) {
    const auto lock = FolderLock::Acquire(folder);
    ASSERT_OK(lock);
    EXPECT_EQ((*lock)->fencing_token(), expected);
  }
}

TEST(FolderLockTest, TheFolderAndTheFileAreForTheOwnerOnly) {
  const std::string folder = NewFolder();
  ASSERT_OK(FolderLock::Acquire(folder));
  struct stat info;
  ASSERT_EQ(stat(folder.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(stat((folder + "/lock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(FolderLockTest, ASecondOwnerIsRefusedAndToldWhoHoldsTheLock) {
  const std::string folder = NewFolder();
  auto first = FolderLock::Acquire(folder);
  ASSERT_OK(first);
  const auto second = FolderLock::Acquire(folder);
  EXPECT_THAT(second.status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(folder), HasSubstr(absl::StrCat("process ", getpid())))));
  EXPECT_EQ(ExitStatus(second.status()), kExitConfig);
  first->reset();
  const auto third = FolderLock::Acquire(folder);
  ASSERT_OK(third);
  EXPECT_EQ((*third)->fencing_token(), 2u);  // a refused owner used no number
}

TEST(FolderLockTest, AnOwnerThatIsJustLeavingIsWaitedFor) {
  const std::string folder = NewFolder();
  auto first = FolderLock::Acquire(folder);
  ASSERT_OK(first);
  std::thread leaving([&first] {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock<std::mutex> lock(mutex);
    SystemClock().WaitFor(lock, never, absl::Milliseconds(200), [] { return false; });
    first->reset();
  });
  const auto second = FolderLock::Acquire(folder);
  leaving.join();
  ASSERT_OK(second);
  EXPECT_EQ((*second)->fencing_token(), 2u);
}

TEST(FolderLockTest, RootLeavesTheFolderOfAnotherUserAlone) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const std::string folder = NewFolder();
  ASSERT_OK(FolderLock::Acquire(folder));
  if (chown(folder.c_str(), 65532, 65532) != 0) GTEST_SKIP() << "no other users here";
  const auto lock = FolderLock::Acquire(folder);
  EXPECT_THAT(lock.status(), StatusIs(absl::StatusCode::kInvalidArgument,
                                      AllOf(HasSubstr(folder), HasSubstr("user 65532"))));
  EXPECT_EQ(ExitStatus(lock.status()), kExitConfig);
}

TEST(FolderLockTest, AFolderThatCannotBeWrittenSaysTheFix) {
  const std::string file = NewFolder();
  ASSERT_OK(FolderLock::Acquire(file));
  const auto lock = FolderLock::Acquire(file + "/lock/below");
  EXPECT_THAT(lock.status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("cannot be written"), HasSubstr("data.dir"))));
  EXPECT_EQ(ExitStatus(lock.status()), kExitConfig);
}

TEST(FolderLockTest, ADamagedFileIsRefusedAndTheFixItNamesWorks) {
  const std::string folder = NewFolder();
  ASSERT_OK(FolderLock::Acquire(folder));
  for (const std::string& damage : {std::string(32, '\0'), std::string("x1 2\n"), std::string(" "),
                                    std::string("1 2 3"), std::string("-1")}) {
    std::ofstream(folder + "/lock") << damage;
    const auto lock = FolderLock::Acquire(folder);
    ASSERT_THAT(lock.status(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("date +%s")));
    EXPECT_EQ(ExitStatus(lock.status()), kExitConfig);
  }
  std::ofstream(folder + "/lock") << "1798000000\n";
  const auto lock = FolderLock::Acquire(folder);
  ASSERT_OK(lock);
  EXPECT_EQ((*lock)->fencing_token(), 1798000001u);
}

}  // namespace
}  // namespace nightjar::checkpoint
