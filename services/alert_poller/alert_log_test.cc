#include "services/alert_poller/alert_log.h"

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/alert_poller/log_segment.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::alert_poller {
namespace {

using alerts::v1::Alert;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kFolder[] = "/state/alert_poller/log";

std::vector<Alert> Alerts(int from, int count, size_t bytes = 0) {
  std::vector<Alert> alerts(count);
  for (int i = 0; i < count; ++i) {
    alerts[i].set_id(absl::StrCat("id-", from + i));
    alerts[i].mutable_event()->set_url(std::string(bytes, 'u'));
  }
  return alerts;
}

class AlertLogTest : public testing::Test {
 protected:
  absl::Status Open() {
    log_.reset();
    ASSIGN_OR_RETURN(log_, AlertLog::Open(*files_, SystemClock(), options_));
    return absl::OkStatus();
  }
  // Every id behind `position`, in order.
  std::vector<std::string> Ids(uint64_t position) {
    std::vector<std::string> ids;
    for (;;) {
      const auto entries = log_->Read(position, 7);
      EXPECT_OK(entries);
      if (!entries.ok() || entries->empty()) return ids;
      for (const auto& entry : *entries) {
        ids.push_back(entry.alert.id());
        position = entry.number;
      }
    }
  }

  void NewDisk() {
    log_.reset();
    files_ = std::make_unique<checkpoint::FakeFileSystem>();
  }

  std::unique_ptr<checkpoint::FakeFileSystem> files_ =
      std::make_unique<checkpoint::FakeFileSystem>();
  AlertLogOptions options_ = {kFolder, 1 << 20, 64 << 20, 100};
  std::unique_ptr<AlertLog> log_;
};

TEST_F(AlertLogTest, WhatWasAppendedIsThereAfterAPowerLoss) {
  ASSERT_OK(Open());
  EXPECT_TRUE(log_->first_start());
  ASSERT_OK(log_->Append(Alerts(1, 2), "f1"));
  ASSERT_OK(log_->Append({}, "f2"));
  ASSERT_OK(log_->Append(Alerts(3, 1), "f3"));
  files_->LosePower(1);
  ASSERT_OK(Open());
  EXPECT_FALSE(log_->first_start());
  EXPECT_EQ(log_->follow(), "f3");
  EXPECT_EQ(log_->end(), 3u);
  EXPECT_THAT(Ids(0), ElementsAre("id-1", "id-2", "id-3"));
  EXPECT_THAT(Ids(2), ElementsAre("id-3"));
  EXPECT_TRUE(log_->HasRecent("id-2"));
  EXPECT_FALSE(log_->HasRecent("id-4"));
}

TEST_F(AlertLogTest, APowerLossAtAnyOperationLosesNothingAndRepeatsNothing) {
  options_.segment_bytes_max = 200;  // many files
  for (int seed = 0; seed < 300; ++seed) {
    NewDisk();
    ASSERT_OK(Open());
    files_->PowerOffAfter(seed % 40);
    int acked = 0;
    for (int page = 0; page < 10; ++page) {
      if (!log_->Append(Alerts(acked + 1, 3), absl::StrCat(acked + 3)).ok()) break;
      acked += 3;
      log_->SetPosition("reader", acked);
    }
    files_->LosePower(seed);
    ASSERT_OK(Open()) << "seed " << seed;
    // The page under way is either there whole, with its bookmark, or not at all.
    const int end = static_cast<int>(log_->end());
    EXPECT_TRUE(end == acked || end == acked + 3) << "seed " << seed << ": " << end;
    EXPECT_EQ(log_->follow(), end == 0 ? "" : absl::StrCat(end)) << "seed " << seed;
    ASSERT_OK(log_->Append(Alerts(end + 1, 1), "next"));
    EXPECT_THAT(Ids(end), ElementsAre(absl::StrCat("id-", end + 1))) << "seed " << seed;
  }
}

TEST_F(AlertLogTest, AfterAFullDiskItGoesOnAndReadsBackWhole) {
  for (int nth = 1; nth <= 2; ++nth) {  // the write, the sync
    NewDisk();
    ASSERT_OK(Open());
    log_->AddReader("reader", 0);
    ASSERT_OK(log_->Append(Alerts(1, 1), "f1"));
    files_->FailOperation(nth, ENOSPC);
    int tries = 1;
    while (!log_->Append(Alerts(2, 2), "f2").ok()) ++tries;
    ASSERT_OK(log_->Append(Alerts(4, 1), "f3"));
    EXPECT_EQ(tries, 2);
    EXPECT_THAT(Ids(0), ElementsAre("id-1", "id-2", "id-3", "id-4"));
    files_->LosePower(nth);
    ASSERT_OK(Open());
    EXPECT_THAT(Ids(0), ElementsAre("id-1", "id-2", "id-3", "id-4")) << nth;
    EXPECT_EQ(log_->follow(), "f3");
  }
}

TEST_F(AlertLogTest, FilesThatEveryReaderHasPassedAreRemovedButTheBookmarkStays) {
  options_.segment_bytes_max = 1;  // a file an append
  ASSERT_OK(Open());
  log_->AddReader("a", 0);
  log_->AddReader("b", 0);
  for (int i = 1; i <= 5; ++i) ASSERT_OK(log_->Append(Alerts(i, 1), absl::StrCat("f", i)));
  log_->SetPosition("a", 5);
  EXPECT_EQ(files_->List(kFolder)->size(), 5u) << "b still needs them";
  log_->SetPosition("b", 3);
  EXPECT_EQ(files_->List(kFolder)->size(), 2u);
  EXPECT_GT(log_->BytesBehind(3), 0u);
  log_->SetPosition("b", 5);
  EXPECT_EQ(log_->BytesBehind(5), 0u);
  EXPECT_EQ(files_->List(kFolder)->size(), 1u);
  ASSERT_OK(Open());
  EXPECT_EQ(log_->follow(), "f5");
  EXPECT_EQ(log_->end(), 5u);
}

TEST_F(AlertLogTest, ADeadReaderCostsOnlyTheLimitAndSeesTheGap) {
  options_.segment_bytes_max = 1000;
  options_.bytes_max = 5000;
  ASSERT_OK(Open());
  log_->AddReader("dead", 0);
  for (int i = 1; i <= 100; ++i) ASSERT_OK(log_->Append(Alerts(i, 1, 200), "f"));
  EXPECT_LE(log_->BytesBehind(0), 5000u);
  const auto entries = log_->Read(0, 1);
  ASSERT_OK(entries);
  EXPECT_GT(entries->at(0).number, 70u);
  EXPECT_EQ(Ids(0).back(), "id-100");
}

TEST_F(AlertLogTest, DamageInTheMiddleIsToldAndNeverReadOver) {
  LogRecord first, second;
  first.set_first(1);
  *first.add_alerts() = Alerts(1, 1)[0];
  second.set_first(2);
  std::string file = EncodeRecord(first) + EncodeRecord(second);
  file[15] ^= 1;
  ASSERT_OK(files_->MakeFolder(kFolder));
  const auto out = files_->OpenAppend(absl::StrCat(kFolder, "/", SegmentName(1)), true);
  ASSERT_OK((*out)->Append(file));
  const absl::Status status = Open();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("move it away")));
  EXPECT_EQ(ExitStatus(status), kExitConfig);
}

TEST_F(AlertLogTest, AMissingFileInBetweenIsDamage) {
  options_.segment_bytes_max = 1;
  ASSERT_OK(Open());
  log_->AddReader("a", 0);
  for (int i = 1; i <= 3; ++i) ASSERT_OK(log_->Append(Alerts(i, 1), "f"));
  ASSERT_OK(files_->Remove(absl::StrCat(kFolder, "/", SegmentName(2))));
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(AlertLogTest, StopEndsAWait) {
  ASSERT_OK(Open());
  log_->Stop();
  EXPECT_FALSE(log_->WaitBehind(0));
  EXPECT_FALSE(log_->Wait(absl::Hours(1)));
}

}  // namespace
}  // namespace nightjar::alert_poller
