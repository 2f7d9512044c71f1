#include "services/common/checkpoint/checkpoint.h"

#include <cerrno>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::checkpoint {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::Optional;

// Make folder, open, append, sync, two renames, sync of the folder.
constexpr int kOperationsOfASave = 7;

TEST(Crc32cTest, MatchesRfc3720AppendixB4) {
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) rising += static_cast<char>(i);
  for (int i = 31; i >= 0; --i) falling += static_cast<char>(i);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(Crc32c(falling), 0x113fdb5cu);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(""), 0u);
}

// Five power losses one after another for each seed, each within or after a save.
TEST(CheckpointTest, PowerLossLeavesTheOldStateOrTheNewOneNeverAMixture) {
  int kept_old = 0, got_new = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    FakeFileSystem files;
    std::optional<std::string> old;
    for (int round = 0; round < 5; ++round) {
      Checkpoint checkpoint(files, "/state");
      ASSERT_THAT(checkpoint.Load(), IsOkAndHolds(old));
      const int clean_saves = static_cast<int>(random() % 3);
      for (int i = 0; i < clean_saves; ++i) {
        old = absl::StrCat("clean ", seed, " ", round, " ", i);
        ASSERT_OK(checkpoint.Save(*old));
      }
      const std::optional<std::string> next =
          absl::StrCat("next ", seed, " ", round, std::string(random() % 3000, 'n'));
      files.PowerOffAfter(static_cast<int>(random() % (kOperationsOfASave + 1)));
      const absl::Status saved = checkpoint.Save(*next);
      files.LosePower(random());

      Checkpoint after(files, "/state");
      const auto loaded = after.Load();
      ASSERT_OK(loaded);
      if (saved.ok()) {
        ASSERT_EQ(*loaded, next);
      } else {
        ASSERT_THAT(*loaded, AnyOf(Eq(old), Eq(next)));
      }
      ASSERT_FALSE(after.fell_back()) << "a file was visible before it was whole";
      (*loaded == next ? got_new : kept_old)++;
      old = *loaded;
    }
  }
  EXPECT_GT(kept_old, 1000);
  EXPECT_GT(got_new, 500);
}

TEST(CheckpointTest, AFailedOperationLeavesAStateThatLoadsAndTheNextSaveHeals) {
  for (const int error : {ENOSPC, EIO}) {
    for (int nth = 1; nth <= kOperationsOfASave; ++nth) {
      SCOPED_TRACE(testing::Message() << "operation " << nth << ", errno " << error);
      FakeFileSystem files;
      Checkpoint checkpoint(files, "/state");
      ASSERT_OK(checkpoint.Save("first"));
      ASSERT_OK(checkpoint.Save("old"));
      files.FailOperation(nth, error);
      ASSERT_THAT(checkpoint.Save("new"),
                  StatusIs(error == ENOSPC ? absl::StatusCode::kResourceExhausted
                                           : absl::StatusCode::kUnavailable));
      Checkpoint beside(files, "/state");
      // Only the last operation, the sync of the folder, comes after the new one is in place.
      EXPECT_THAT(beside.Load(),
                  IsOkAndHolds(Optional(std::string(nth == kOperationsOfASave ? "new" : "old"))));
      ASSERT_OK(checkpoint.Save("healed"));
      files.LosePower(nth);
      EXPECT_THAT(beside.Load(), IsOkAndHolds(Optional(std::string("healed"))));
      EXPECT_FALSE(beside.fell_back());
    }
  }
}

TEST(CheckpointTest, ASaveIsTheNumberOfOperationsThatTheseTestsStepThrough) {
  FakeFileSystem files;
  Checkpoint checkpoint(files, "/state");
  ASSERT_OK(checkpoint.Save("one"));
  const int before = files.operations();
  ASSERT_OK(checkpoint.Save("two"));
  EXPECT_EQ(files.operations() - before, kOperationsOfASave);
}

}  // namespace
}  // namespace nightjar::checkpoint
