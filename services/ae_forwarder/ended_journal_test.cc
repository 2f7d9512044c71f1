#include "services/ae_forwarder/ended_journal.h"

#include <cerrno>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ae_forwarder/journal_format.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::ae_forwarder {
namespace {

using checkpoint::FakeFileSystem;
using testing::HasSubstr;

constexpr char kFolder[] = "/state/ae_forwarder";
constexpr char kPath[] = "/state/ae_forwarder/ended.journal";

EndedChange Ended(const std::string& epoch, int64_t from, int64_t to) {
  return {epoch, 1, false, {{from, to}}, {}};
}

bool Has(const EndedSet& set, const std::string& epoch, int64_t number) {
  std::vector<bool> ended;
  set.Find(epoch, {{false, 0, number}}, &ended);
  return ended[0];
}

void Write(FakeFileSystem& files, const std::string& content) {
  auto file = files.OpenAppend(kPath, /*truncate=*/true);
  ASSERT_OK(file);
  ASSERT_OK((*file)->Append(content));
  ASSERT_OK((*file)->Sync());
}

TEST(EndedJournal, WhatWasCommittedIsThereAfterARestart) {
  FakeFileSystem files;
  {
    EndedSet set;
    auto journal = EndedJournal::Open(files, kFolder, set);
    ASSERT_OK(journal);
    ASSERT_OK(set.Admit("a", 9));
    ASSERT_OK((*journal)->Commit({{"a", 9, false, {{0, 3}}, {}}, {"b", 2, false, {}, {{77, 5}}}}));
    EXPECT_TRUE(Has(set, "a", 3));
  }
  files.LosePower(1);
  EndedSet set;
  ASSERT_OK(EndedJournal::Open(files, kFolder, set));
  EXPECT_TRUE(Has(set, "a", 1));
  EXPECT_FALSE(Has(set, "a", 4));
  EXPECT_THAT(set.Admit("a", 8), StatusIs(absl::StatusCode::kAborted));
  std::vector<bool> ended;
  set.Find("b", {{true, 77, 5}}, &ended);
  EXPECT_TRUE(ended[0]);
}

TEST(EndedJournal, ForgettingIsWrittenWithTheNextCommit) {
  FakeFileSystem files;
  {
    EndedSet set;
    auto journal = EndedJournal::Open(files, kFolder, set);
    ASSERT_OK((*journal)->Commit({Ended("a", 0, 100)}));
    (*journal)->Forget({"a", 0, true, {{-1, 90}}, {}});
    ASSERT_OK((*journal)->Commit({Ended("a", 100, 101)}));
  }
  EndedSet set;
  ASSERT_OK(EndedJournal::Open(files, kFolder, set));
  EXPECT_OK(set.Admit("a", 1000));  // a new owner: what was forgotten may come again
  EXPECT_FALSE(Has(set, "a", 90));
  EXPECT_TRUE(Has(set, "a", 91));
  EXPECT_TRUE(Has(set, "a", 101));
}

TEST(EndedJournal, ATornLastFrameIsCutOff) {
  FakeFileSystem files;
  ASSERT_OK(files.MakeFolder(kFolder));
  std::string whole(kJournalHeader);
  const EndedChange first = Ended("a", 0, 1), second = Ended("a", 5, 6);
  AppendFrame({&first, 1}, &whole);
  const size_t keep = whole.size();
  AppendFrame({&second, 1}, &whole);
  for (size_t cut = keep; cut < whole.size(); ++cut) {
    Write(files, whole.substr(0, cut));
    EndedSet set;
    ASSERT_OK(EndedJournal::Open(files, kFolder, set)) << cut;
    EXPECT_TRUE(Has(set, "a", 1));
    EXPECT_FALSE(Has(set, "a", 6));
  }
}

TEST(EndedJournal, DamageBeforeTheTailIsRefusedWithTheWayOut) {
  FakeFileSystem files;
  ASSERT_OK(files.MakeFolder(kFolder));
  std::string whole(kJournalHeader);
  const EndedChange first = Ended("a", 0, 1), second = Ended("a", 5, 6);
  AppendFrame({&first, 1}, &whole);
  const size_t first_end = whole.size();
  AppendFrame({&second, 1}, &whole);
  for (size_t at = 0; at < first_end; ++at) {
    std::string damaged = whole;
    damaged[at] ^= 0x20;
    Write(files, damaged);
    EndedSet set;
    const auto journal = EndedJournal::Open(files, kFolder, set);
    ASSERT_FALSE(journal.ok()) << at;
    EXPECT_EQ(ExitStatus(journal.status()), kExitConfig);
    EXPECT_THAT(std::string(journal.status().message()), HasSubstr("move the file away"));
  }
  Write(files, "");
  EndedSet set;
  EXPECT_EQ(ExitStatus(EndedJournal::Open(files, kFolder, set).status()), kExitConfig);
}

TEST(EndedJournal, AFullDiskHealsByItself) {
  FakeFileSystem files;
  EndedSet set;
  auto journal = EndedJournal::Open(files, kFolder, set);
  ASSERT_OK((*journal)->Commit({Ended("a", 0, 1)}));
  for (int nth = 1; nth <= 6; ++nth) {
    files.FailOperation(nth, ENOSPC);
    const EndedChange change = Ended("a", 10 * nth, 10 * nth + 1);
    // One write needs two operations, a rewrite five before them: some of these do not fail.
    for (int tries = 0; !(*journal)->Commit({change}).ok(); ++tries) {
      ASSERT_LT(tries, 2);
      EXPECT_FALSE(Has(set, "a", 10 * nth + 1));
    }
    EXPECT_TRUE(Has(set, "a", 10 * nth + 1));
  }
  files.LosePower(5);
  EndedSet again;
  ASSERT_OK(EndedJournal::Open(files, kFolder, again));
  for (int nth = 1; nth <= 6; ++nth) EXPECT_TRUE(Has(again, "a", 10 * nth + 1)) << nth;
}

TEST(EndedJournal, ItIsRewrittenWhenItHasGrown) {
  FakeFileSystem files;
  EndedSet set;
  auto journal = EndedJournal::Open(files, kFolder, set);
  size_t largest = 0;
  EndedChange change{"a", 1, false, {}, {}};
  for (int64_t n = 0; n < 100'000; ++n) change.intervals.emplace_back(1000 * n, 1000 * n + 1);
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK((*journal)->Commit({change}));
    largest = std::max(largest, files.Read(kPath)->size());
  }
  EXPECT_GT(largest, 4u << 20);
  EXPECT_LT(files.Read(kPath)->size(), largest);
  EndedSet again;
  ASSERT_OK(EndedJournal::Open(files, kFolder, again));
  EXPECT_EQ(again.entries(), 100'000u);
}

TEST(EndedJournal, CommittersOfManyThreadsAllGetTheirs) {
  FakeFileSystem files;
  EndedSet set;
  auto journal = EndedJournal::Open(files, kFolder, set);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const int64_t number = 1000 * t + 2 * i;
        EXPECT_OK((*journal)->Commit({Ended("a", number - 1, number)}));
        EXPECT_TRUE(Has(set, "a", number));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EndedSet again;
  ASSERT_OK(EndedJournal::Open(files, kFolder, again));
  EXPECT_EQ(again.entries(), 800u);
}

// The promise behind "a kill resends at most the bodies then in flight": whatever is lost with the
// power, a commit that returned OK is there, and nothing is there that was never committed.
TEST(EndedJournal, ThousandPowerLossesLoseNoCommitAndInventNone) {
  const uint64_t base_seed = 20261124;
  size_t commits = 0;
  for (uint64_t seed = base_seed; seed < base_seed + 1000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    FakeFileSystem files;
    std::vector<int64_t> committed;
    int64_t tried = 0;
    for (int life = 0; life < 3; ++life) {
      EndedSet set;
      files.PowerOffAfter(static_cast<int>(random() % 40));
      auto journal = EndedJournal::Open(files, kFolder, set);
      while (journal.ok()) {
        const int64_t number = 2 * ++tried;
        if (!(*journal)->Commit({Ended("a", number - 1, number)}).ok()) break;
        committed.push_back(number);
      }
      if (!journal.ok()) {
        ASSERT_NE(ExitStatus(journal.status()), kExitConfig);
      }
      journal = absl::CancelledError("");  // files that are open must not outlive the power
      files.LosePower(seed + life);
    }
    EndedSet set;
    ASSERT_OK(EndedJournal::Open(files, kFolder, set));
    commits += committed.size();
    for (const int64_t number : committed) ASSERT_TRUE(Has(set, "a", number)) << number;
    for (int64_t n = -3; n <= 2 * tried + 3; ++n) {
      const bool was_tried = n >= 2 && n % 2 == 0 && n <= 2 * tried;
      if (!was_tried) {
        ASSERT_FALSE(Has(set, "a", n)) << n;
      }
    }
  }
  EXPECT_GT(commits, 10'000u);  // else the power was gone before anything happened
}

}  // namespace
}  // namespace nightjar::ae_forwarder
