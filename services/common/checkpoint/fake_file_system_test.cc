#include "services/common/checkpoint/fake_file_system.h"

#include <cerrno>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::checkpoint {
namespace {

constexpr int kSeeds = 200;

// What the file reads as after losing power, over many seeds; "-" for no file.
template <typename Prepare>
std::set<std::string> Outcomes(Prepare prepare) {
  std::set<std::string> outcomes;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    FakeFileSystem files;
    EXPECT_OK(files.MakeFolder("/s"));
    prepare(files);
    files.LosePower(seed);
    outcomes.insert(files.Read("/s/f").value_or("-"));
  }
  return outcomes;
}

TEST(FakeFileSystemTest, SyncedDataUnderASyncedNameAlwaysSurvives) {
  EXPECT_EQ(Outcomes([](FakeFileSystem& files) {
              auto file = files.OpenAppend("/s/f", true);
              ASSERT_OK((*file)->Append("data"));
              ASSERT_OK((*file)->Sync());
              ASSERT_OK(files.SyncFolder("/s"));
            }),
            std::set<std::string>{"data"});
}

TEST(FakeFileSystemTest, AnUnsyncedNameMayBeGone) {
  EXPECT_EQ(Outcomes([](FakeFileSystem& files) {
              auto file = files.OpenAppend("/s/f", true);
              ASSERT_OK((*file)->Append("data"));
              ASSERT_OK((*file)->Sync());
            }),
            (std::set<std::string>{"-", "data"}));
}

TEST(FakeFileSystemTest, UnsyncedDataMayBeCutAndTorn) {
  const std::set<std::string> outcomes = Outcomes([](FakeFileSystem& files) {
    auto file = files.OpenAppend("/s/f", true);
    ASSERT_OK((*file)->Append("A"));
    ASSERT_OK((*file)->Sync());
    ASSERT_OK(files.SyncFolder("/s"));
    ASSERT_OK((*file)->Append("BC"));
  });
  EXPECT_EQ(outcomes, (std::set<std::string>{"A", "AB", "ABC", std::string("A\0", 2),
                                             std::string("AB\0", 3), std::string("A\0\0", 3)}));
}

TEST(FakeFileSystemTest, AnUnsyncedRenameMayBeUndone) {
  EXPECT_EQ(Outcomes([](FakeFileSystem& files) {
              for (const char* path : {"/s/f", "/s/g"}) {
                auto file = files.OpenAppend(path, true);
                ASSERT_OK((*file)->Append(path));
                ASSERT_OK((*file)->Sync());
              }
              ASSERT_OK(files.SyncFolder("/s"));
              ASSERT_OK(files.Rename("/s/g", "/s/f"));
            }),
            (std::set<std::string>{"/s/f", "/s/g"}));
}

TEST(FakeFileSystemTest, ASyncAfterAFailedOneWritesNothing) {
  const std::set<std::string> outcomes = Outcomes([](FakeFileSystem& files) {
    auto file = files.OpenAppend("/s/f", true);
    ASSERT_OK(files.SyncFolder("/s"));
    ASSERT_OK((*file)->Append("data"));
    files.FailOperation(1, EIO);
    ASSERT_THAT((*file)->Sync(), StatusIs(absl::StatusCode::kUnavailable));
    ASSERT_OK((*file)->Sync());
  });
  EXPECT_TRUE(outcomes.count("") == 1 && outcomes.count("data") == 1);
}

TEST(FakeFileSystemTest, TheNthOperationFailsOnceAndAnAppendWritesHalf) {
  FakeFileSystem files;
  ASSERT_OK(files.MakeFolder("/s"));
  auto file = files.OpenAppend("/s/f", true);
  files.FailOperation(2, ENOSPC);
  EXPECT_OK((*file)->Append("one."));
  EXPECT_THAT((*file)->Append("TWO."), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_OK((*file)->Append("three."));
  EXPECT_THAT(files.Read("/s/f"), IsOkAndHolds(std::string("one.TWthree.")));
}

TEST(FakeFileSystemTest, WithoutPowerEverythingFailsUntilItComesBack) {
  FakeFileSystem files;
  files.PowerOffAfter(1);
  EXPECT_OK(files.MakeFolder("/s"));
  EXPECT_THAT(files.OpenAppend("/s/f", true), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(files.SyncFolder("/s"), StatusIs(absl::StatusCode::kUnavailable));
  files.LosePower(1);
  EXPECT_OK(files.OpenAppend("/s/f", true));
}

}  // namespace
}  // namespace nightjar::checkpoint
