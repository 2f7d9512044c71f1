#include "services/es_reader/position_keeper.h"

#include <cerrno>

#include "gtest/gtest.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::es_reader {
namespace {

class PositionKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(files_.MakeFolder("/state"));
    ShardStats stats;
    stats.index = "index";
    stats.index_uuid = "u";
    stats.history_uuid = "h";
    shard_ = std::make_shared<Shard>(stats, ShardTailOptions{}, ShardPosition{});
    state_.shards[shard_->epoch] = shard_;
    state_.position.shards[shard_->epoch].index = "index";
  }

  // Reads numbers up to `to` and ends them.
  void Advance(int64_t to) {
    Poll(to);
    while (const std::optional<Fetch> fetch = shard_->tail.NextFetch(clock_.Monotonic())) {
      std::vector<int64_t> seen;
      for (int64_t n = fetch->range.from + 1; n <= fetch->range.to; ++n) seen.push_back(n);
      shard_->tail.OnPage(*fetch, seen);
      shard_->tail.OnEventsEnded(fetch->window, seen.size());
    }
    Poll(to);
  }
  void Poll(int64_t to) {
    shard_->tail.BeginPoll();
    shard_->tail.Observe({"node", to, 1}, clock_.Monotonic());
  }
  int64_t ReachedOnDisk() {
    checkpoint::Checkpoint checkpoint(files_, "/state");
    return LoadPosition(checkpoint, "/state").value().value().shards.at(shard_->epoch).reached();
  }

  checkpoint::FakeFileSystem files_;
  SimulatedClock clock_;
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "es-reader"};
  runtime::StageMonitor monitor_{"es-reader", ledger_, clock_};
  ReaderMetrics reader_metrics_{metrics_};
  rpc::Security security_;
  rpc::FlowPool flow_{{{"127.0.0.1:1"}, "", {}, {}}, security_, clock_};  // never started
  ReaderState state_{ThrottleOptions{}};
  ShardPtr shard_;
  checkpoint::Checkpoint checkpoint_{files_, "/state"};
  PositionKeeper keeper_{checkpoint_, state_, flow_, monitor_, reader_metrics_, clock_};
};

TEST_F(PositionKeeperTest, WhatHasEndedIsOnTheDiskAtMostOnceASecond) {
  Advance(9);
  ASSERT_OK(keeper_.Save(false));
  EXPECT_EQ(ReachedOnDisk(), 9);
  Advance(19);
  clock_.Advance(absl::Milliseconds(900));
  ASSERT_OK(keeper_.Save(false));
  EXPECT_EQ(ReachedOnDisk(), 9);
  clock_.Advance(absl::Milliseconds(100));
  ASSERT_OK(keeper_.Save(false));
  EXPECT_EQ(ReachedOnDisk(), 19);
}

TEST_F(PositionKeeperTest, TheLastSaveDoesNotWait) {
  Advance(9);
  ASSERT_OK(keeper_.Save(true));
  Advance(19);
  ASSERT_OK(keeper_.Save(true));
  EXPECT_EQ(ReachedOnDisk(), 19);
}

TEST_F(PositionKeeperTest, NothingNewIsNotWritten) {
  Advance(9);
  ASSERT_OK(keeper_.Save(true));
  const int operations = files_.operations();
  clock_.Advance(absl::Seconds(5));
  ASSERT_OK(keeper_.Save(true));
  EXPECT_EQ(files_.operations(), operations);
}

TEST_F(PositionKeeperTest,
       ReadingStopsThirtySecondsAfterTheFirstFailedWriteAndGoesOnAfterAGoodOne) {
  Advance(9);
  for (int second = 0; second <= 30; ++second) {
    EXPECT_FALSE(state_.position_lost) << second;
    files_.FailOperation(1, ENOSPC);
    EXPECT_THAT(keeper_.Save(false), StatusIs(absl::StatusCode::kResourceExhausted));
    clock_.Advance(absl::Seconds(1));
  }
  EXPECT_TRUE(state_.position_lost);
  EXPECT_THAT(monitor_.Status().reason(), testing::HasSubstr("cannot save the position"));
  EXPECT_FALSE(state_.NextJob(clock_.Monotonic()).has_value());
  ASSERT_OK(keeper_.Save(false));
  EXPECT_FALSE(state_.position_lost);
  EXPECT_EQ(ReachedOnDisk(), 9);
}

}  // namespace
}  // namespace nightjar::es_reader
