#include "services/es_reader/discovery.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "tests/fakes/fake_elasticsearch.h"

namespace nightjar::es_reader {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr char kIndex[] = "packetbeat-7";

class DiscoveryTest : public testing::Test {
 protected:
  DiscoveryTest() {
    options_.elastic.hosts = {elastic_.url()};
    options_.patterns = {"packetbeat-*"};
    state_.position.first_start = clock_.Now();
    pool_ = std::make_unique<NodePool>(options_.elastic.hosts, clock_);
    discovery_ =
        std::make_unique<Discovery>(options_, *pool_, state_, monitor_, reader_metrics_, clock_);
    monitor_.SetStarted();
  }

  void PollAfter(absl::Duration time) {
    clock_.Advance(time);
    discovery_->Poll();
  }
  void Write(int documents) {
    for (int i = 0; i < documents; ++i) elastic_.Index(kIndex, absl::StrCat(next_id_++), "{}");
  }
  std::string Reason() const { return monitor_.Status().reason(); }

  fakes::FakeElasticsearch elastic_;
  // Later than the creation of the fake's indices, so that the start policy applies to them.
  SimulatedClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "es-reader"};
  runtime::StageMonitor monitor_{"es-reader", ledger_, clock_};
  ReaderMetrics reader_metrics_{metrics_};
  ReaderOptions options_;
  ReaderState state_{ThrottleOptions{}};
  std::unique_ptr<NodePool> pool_;
  std::unique_ptr<Discovery> discovery_;
  int next_id_ = 0;
};

TEST_F(DiscoveryTest, AnIndexDeletedBeforeItWasReadIsCountedExactly) {
  elastic_.CreateIndex(kIndex);
  Write(25);
  discovery_->Poll();
  ASSERT_THAT(state_.shards, SizeIs(1));
  elastic_.DeleteIndex(kIndex);
  PollAfter(Discovery::kEvery);
  EXPECT_THAT(state_.shards, SizeIs(1));  // once may be a mistake
  PollAfter(Discovery::kEvery);
  EXPECT_THAT(state_.shards, SizeIs(0));
  EXPECT_THAT(metrics_.Render(),
              HasSubstr("nightjar_reader_deleted_before_drained_operations_total 25"));
}

TEST_F(DiscoveryTest, TheFirstIndexIsFoundInThePollAfterItsCreation) {
  discovery_->Poll();
  EXPECT_THAT(Reason(), HasSubstr("no index yet"));
  PollAfter(absl::Seconds(1));
  EXPECT_THAT(state_.shards, SizeIs(0));
  elastic_.CreateIndex(kIndex);
  Write(5);
  PollAfter(absl::Seconds(1));
  EXPECT_THAT(state_.shards, SizeIs(1));
  EXPECT_EQ(Reason(), "");
}

TEST_F(DiscoveryTest, TheOnlyIndexIsNotTakenForDeletedSoonerThanOthers) {
  elastic_.CreateIndex(kIndex);
  Write(5);
  discovery_->Poll();
  elastic_.DeleteIndex(kIndex);
  PollAfter(Discovery::kEvery);
  PollAfter(Discovery::kEvery - absl::Seconds(1));
  EXPECT_THAT(state_.shards, SizeIs(1));
  PollAfter(absl::Seconds(1));
  EXPECT_THAT(state_.shards, SizeIs(0));
}

TEST_F(DiscoveryTest, AShardWithoutPrimaryIsAnAlarmAfterTwoMinutes) {
  elastic_.CreateIndex(kIndex);
  Write(5);
  discovery_->Poll();
  elastic_.SetShardAvailable(kIndex, 0, false);
  PollAfter(absl::Seconds(119));
  EXPECT_EQ(Reason(), "");
  EXPECT_FALSE(state_.NextJob(clock_.Monotonic()).has_value());
  PollAfter(absl::Seconds(1));
  EXPECT_THAT(Reason(), HasSubstr("no started primary"));
  elastic_.SetShardAvailable(kIndex, 0, true);
  PollAfter(absl::Seconds(1));
  EXPECT_EQ(Reason(), "");
  EXPECT_TRUE(state_.NextJob(clock_.Monotonic()).has_value());
}

TEST_F(DiscoveryTest, AShardWhoseHistoryChangesTooOftenIsHeld) {
  elastic_.CreateIndex(kIndex);
  Write(5);
  discovery_->Poll();
  for (int change = 0; change < Discovery::kEpochChangesMax; ++change) {
    elastic_.NewHistory(kIndex);
    PollAfter(absl::Seconds(1));
    EXPECT_THAT(Reason(), Not(HasSubstr("times in an hour"))) << change;
    ASSERT_THAT(state_.shards, SizeIs(1));
    EXPECT_TRUE(state_.shards.begin()->second->present);
  }
  elastic_.NewHistory(kIndex);
  PollAfter(absl::Seconds(1));
  EXPECT_THAT(Reason(), HasSubstr("times in an hour"));
  PollAfter(absl::Hours(1));
  EXPECT_EQ(Reason(), "");
}

TEST_F(DiscoveryTest, WhereARefreshIsForbiddenEmptyNumbersAreAssumedOnlyAfterAWait) {
  elastic_.CreateIndex(kIndex, 1, /*refresh_at_once=*/false);
  Write(5);
  fakes::ElasticFault forbidden;
  forbidden.status = 403;
  forbidden.body = R"({"error":{"type":"security_exception","reason":"no"},"status":403})";
  elastic_.SetFault("_refresh", forbidden);
  discovery_->Poll();
  std::optional<Job> job = state_.NextJob(clock_.Monotonic());
  ASSERT_TRUE(job.has_value());
  job->shard->tail.OnPage(job->fetch, {0, 1});
  state_.throttle.Ended(job->reserved_bytes);
  PollAfter(absl::Seconds(1));  // asks for a refresh, is refused
  EXPECT_FALSE(state_.NextJob(clock_.Monotonic()).has_value());
  clock_.Advance(ShardTail::kAssumeAfterMin);
  job = state_.NextJob(clock_.Monotonic());
  ASSERT_TRUE(job.has_value());
  EXPECT_TRUE(job->fetch.assuming);
}

TEST_F(DiscoveryTest, WithoutARefreshAFirstStartSkipsNothingByNumber) {
  state_.position.start = {StartPolicy::Kind::kSince, clock_.Now()};
  elastic_.CreateIndex(kIndex);
  Write(5);
  fakes::ElasticFault forbidden;
  forbidden.status = 403;
  elastic_.SetFault("_refresh", forbidden);
  discovery_->Poll();
  ASSERT_THAT(state_.shards, SizeIs(1));
  const ShardPosition& position = state_.position.shards.begin()->second;
  EXPECT_TRUE(position.closed.empty());
  EXPECT_EQ(position.first_checkpoint, 4);
}

}  // namespace
}  // namespace nightjar::es_reader
