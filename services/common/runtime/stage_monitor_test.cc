#include "services/common/runtime/stage_monitor.h"

#include <condition_variable>
#include <deque>
#include <thread>

#include "gmock/gmock.h"
#include "google/protobuf/util/time_util.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/runtime/main.h"

namespace nightjar::runtime {
namespace {

using admin::v1::StageStatus;
using google::protobuf::util::TimeUtil;
using telemetry::v1::Batch;
using telemetry::v1::Event;
using testing::HasSubstr;

class StageMonitorTest : public testing::Test {
 protected:
  // For what the monitor's own thread waits for: it must be waiting, or it would miss the moment.
  void AdvanceOnceWaiting(absl::Duration duration) {
    while (clock_.waiting() == 0) std::this_thread::yield();
    clock_.Advance(duration);
  }

  SimulatedClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "scorer"};
  StageMonitor monitor_{"scorer", ledger_, clock_};
};

Batch DnsBatch(int events, int64_t newest_unix_nano) {
  Batch batch;
  for (int i = 0; i < events; ++i) {
    Event& event = *batch.add_events();
    event.mutable_dns()->set_query("example.com");
    event.set_time_unix_nano(newest_unix_nano - i);
  }
  return batch;
}

TEST_F(StageMonitorTest, StatusTellsWhatTheLedgerAndTheStageSaid) {
  ledger_.Read("dns", 5);
  ledger_.Ended(telemetry::v1::OUTCOME_FILTERED, "trusted", "dns", 2);
  monitor_.SetCredit(true, 3, 4096);
  monitor_.SetPeer("ae-forwarder", "127.0.0.1:7403", false, "connection\nrefused");
  monitor_.RecordError("engine said \x1B[2J");
  const StageStatus status = monitor_.Status();
  EXPECT_EQ(status.stage(), "scorer");
  EXPECT_EQ(status.version(), Version());
  EXPECT_EQ(status.started_at().seconds(), 1'800'000'000);
  EXPECT_EQ(status.read_events(), 5u);
  EXPECT_EQ(status.in_flight_events(), 3u);
  ASSERT_EQ(status.counts_size(), 1);
  EXPECT_EQ(status.counts(0).reason(), "trusted");
  EXPECT_EQ(status.credit_batches(), 3u);
  EXPECT_EQ(status.credit_bytes(), 4096u);
  ASSERT_EQ(status.peers_size(), 1);
  EXPECT_FALSE(status.peers(0).connected());
  EXPECT_EQ(status.peers(0).error(), "connection\\nrefused");
  EXPECT_EQ(status.last_error().text(), "engine said \\x1b[2J");
  EXPECT_EQ(status.last_error().time().seconds(), 1'800'000'000);
}

TEST_F(StageMonitorTest, NoErrorYetIsNotAnErrorAtTimeZero) {
  EXPECT_FALSE(monitor_.Status().has_last_error());
}

TEST_F(StageMonitorTest, ConditionsDecideTheState) {
  EXPECT_EQ(monitor_.Status().state(), admin::v1::STATE_STARTING);
  EXPECT_FALSE(monitor_.ready());
  monitor_.SetCondition("elasticsearch", "401: wrong password");
  EXPECT_EQ(monitor_.Status().state(), admin::v1::STATE_STARTING);
  EXPECT_EQ(monitor_.Status().reason(), "elasticsearch: 401: wrong password");
  monitor_.SetStarted();
  EXPECT_EQ(monitor_.Status().state(), admin::v1::STATE_DEGRADED);
  EXPECT_TRUE(monitor_.ready());  // it knows, and nobody could do better
  monitor_.SetCondition("scorer", "unreachable");
  EXPECT_EQ(monitor_.Status().reason(), "elasticsearch: 401: wrong password; scorer: unreachable");
  monitor_.ClearCondition("elasticsearch");
  monitor_.ClearCondition("scorer");
  EXPECT_EQ(monitor_.Status().state(), admin::v1::STATE_READY);
  EXPECT_EQ(monitor_.Status().reason(), "");
  EXPECT_TRUE(monitor_.ready());
  monitor_.SetDraining();
  EXPECT_EQ(monitor_.Status().state(), admin::v1::STATE_DRAINING);
  EXPECT_FALSE(monitor_.ready());
}

TEST_F(StageMonitorTest, AStageThatSendsOnIsReadyWhileItHasATaker) {
  monitor_.SetCredit(false, 0, 0);
  monitor_.SetStarted();
  EXPECT_FALSE(monitor_.ready());
  monitor_.SetCredit(true, 64, 1 << 20);
  EXPECT_TRUE(monitor_.ready());
  monitor_.SetCredit(true, 0, 0);  // held back: the taker knows of an outage below it
  clock_.Advance(absl::Hours(3));
  monitor_.SetCredit(true, 0, 0);
  EXPECT_TRUE(monitor_.ready());
  monitor_.SetCredit(false, 0, 0);
  EXPECT_TRUE(monitor_.ready());  // it may be back in a moment
  clock_.Advance(absl::Seconds(61));
  EXPECT_FALSE(monitor_.ready());
  monitor_.Pause("upgrade");
  EXPECT_TRUE(monitor_.ready());
}

TEST_F(StageMonitorTest, AnIdleStageIsReadyAndSaysWhy) {
  monitor_.SetIdleReason("switched off");
  EXPECT_EQ(monitor_.Status().reason(), "starting");
  monitor_.SetStarted();
  EXPECT_EQ(monitor_.Status().state(), admin::v1::STATE_READY);
  EXPECT_EQ(monitor_.Status().reason(), "switched off");
  monitor_.SetCondition("scope", "unreadable");
  EXPECT_EQ(monitor_.Status().reason(), "scope: unreadable");
}

TEST_F(StageMonitorTest, ConditionIsLoggedWhenItBeginsChangesAndEnds) {
  testing::internal::CaptureStdout();  // where spdlog's first default logger writes
  monitor_.SetCondition("engine", "503");
  monitor_.SetCondition("engine", "503");
  monitor_.SetCondition("engine", "401");
  monitor_.ClearCondition("engine");
  monitor_.ClearCondition("engine");
  const std::string log = testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 3) << log;
  EXPECT_THAT(log, HasSubstr("engine: ok again"));
}

TEST_F(StageMonitorTest, RateIsTheMeanOverTenSeconds) {
  EXPECT_EQ(monitor_.Status().events_per_second(), 0);
  monitor_.Observe(DnsBatch(100, 1));
  EXPECT_DOUBLE_EQ(monitor_.Status().events_per_second(), 100);  // of the first second
  clock_.Advance(absl::Seconds(4));
  monitor_.Observe(DnsBatch(100, 1));
  EXPECT_DOUBLE_EQ(monitor_.Status().events_per_second(), 50);
  clock_.Advance(absl::Seconds(6));  // the first batch is out of the window
  EXPECT_DOUBLE_EQ(monitor_.Status().events_per_second(), 10);
  clock_.Advance(absl::Hours(1));
  EXPECT_DOUBLE_EQ(monitor_.Status().events_per_second(), 0);
}

TEST_F(StageMonitorTest, WallClockJumpsDoNotChangeTheRate) {
  monitor_.Observe(DnsBatch(100, 1));
  clock_.JumpWall(absl::Hours(-5));
  EXPECT_DOUBLE_EQ(monitor_.Status().events_per_second(), 100);
}

TEST_F(StageMonitorTest, FourTypesAreAlwaysListedOthersOnceSeen) {
  const auto types = [this] {
    std::vector<std::string> names;
    const StageStatus status = monitor_.Status();
    for (const auto& activity : status.activity()) names.push_back(activity.type());
    return names;
  };
  EXPECT_THAT(types(), testing::ElementsAre("dns", "ip", "http", "tls"));
  Batch batch;
  batch.add_events()->mutable_icmp();
  batch.add_events()->mutable_other();
  batch.add_events();  // no body
  monitor_.Observe(batch);
  EXPECT_THAT(types(), testing::ElementsAre("dns", "ip", "http", "tls", "icmp", "other"));
  EXPECT_EQ(monitor_.Status().activity(5).count(), 2u);
}

TEST_F(StageMonitorTest, EveryTypeIsCountedUnderItsOwnName) {
  Batch batch;
  batch.add_events()->mutable_dns();
  batch.add_events()->mutable_ip();
  batch.add_events()->mutable_http();
  batch.add_events()->mutable_tls();
  batch.add_events()->mutable_icmp();
  batch.add_events()->mutable_lease();
  batch.add_events()->mutable_other();
  monitor_.Observe(batch);
  const StageStatus status = monitor_.Status();
  ASSERT_EQ(status.activity_size(), batch.events_size());
  for (int i = 0; i < batch.events_size(); ++i) {
    EXPECT_EQ(status.activity(i).type(), metrics::TypeName(batch.events(i)));
    EXPECT_EQ(status.activity(i).count(), 1u);
  }
}

TEST_F(StageMonitorTest, LastRecordIsTheNewestAndUnsetWhenUnknown) {
  Batch without_time;
  without_time.add_events()->mutable_dns();
  monitor_.Observe(without_time);
  EXPECT_FALSE(monitor_.Status().activity(0).has_last_record());
  monitor_.Observe(DnsBatch(3, 5'000'000'007));
  monitor_.Observe(DnsBatch(3, 4'000'000'000));
  EXPECT_EQ(monitor_.Status().activity(0).count(), 7u);
  EXPECT_EQ(TimeUtil::TimestampToNanoseconds(monitor_.Status().activity(0).last_record()),
            5'000'000'007);
}

TEST_F(StageMonitorTest, LagIsAskedForAtEachStatusUntilTheSourceIsTaken) {
  int asked = 0;
  monitor_.SetLagSource([&] {
    std::vector<admin::v1::ShardLag> lag(1);
    lag[0].set_lag_operations(++asked);
    return lag;
  });
  EXPECT_EQ(monitor_.Status().lag(0).lag_operations(), 1u);
  EXPECT_EQ(monitor_.Status().lag(0).lag_operations(), 2u);
  monitor_.SetLagSource({});
  EXPECT_EQ(monitor_.Status().lag_size(), 0);
  EXPECT_EQ(asked, 2);
}

// What the pause handler was told, to be waited for.
class PauseCalls {
 public:
  explicit PauseCalls(StageMonitor& monitor) {
    monitor.SetPauseHandler([this](bool paused) {
      std::lock_guard<std::mutex> lock(mutex_);
      calls_.push_back(paused);
      changed_.notify_all();
    });
  }
  bool Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !calls_.empty(); });
    const bool call = calls_.front();
    calls_.pop_front();
    return call;
  }
  bool empty() {
    std::lock_guard<std::mutex> lock(mutex_);
    return calls_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<bool> calls_;
};

TEST_F(StageMonitorTest, PauseAndResumeTellTheStageOnce) {
  PauseCalls calls(monitor_);
  monitor_.SetStarted();
  EXPECT_FALSE(monitor_.paused());
  EXPECT_EQ(monitor_.Pause("upgrade of the\nengine"), clock_.Now() + absl::Minutes(15));
  EXPECT_TRUE(calls.Next());
  EXPECT_TRUE(monitor_.paused());
  EXPECT_TRUE(monitor_.ready());
  EXPECT_EQ(monitor_.Status().state(), admin::v1::STATE_PAUSED);
  EXPECT_THAT(monitor_.Status().reason(),
              testing::MatchesRegex("paused until 2027-01-15T08:15:00Z: upgrade of the"
                                    "\\\\nengine"));
  monitor_.Pause("again");
  EXPECT_TRUE(calls.empty());
  monitor_.Resume();
  EXPECT_FALSE(calls.Next());
  EXPECT_FALSE(monitor_.paused());
  monitor_.Resume();
  EXPECT_TRUE(calls.empty());
  EXPECT_EQ(monitor_.Status().state(), admin::v1::STATE_READY);
}

TEST_F(StageMonitorTest, PauseEndsByItselfAfterFifteenMinutes) {
  PauseCalls calls(monitor_);
  monitor_.Pause("forgotten");
  EXPECT_TRUE(calls.Next());
  AdvanceOnceWaiting(absl::Minutes(15) - absl::Nanoseconds(1));
  EXPECT_TRUE(monitor_.paused());
  AdvanceOnceWaiting(absl::Nanoseconds(1));
  EXPECT_FALSE(calls.Next());
  EXPECT_FALSE(monitor_.paused());
  EXPECT_THAT(monitor_.Status().last_error().text(), HasSubstr("ended by itself"));
}

TEST_F(StageMonitorTest, FurtherPauseCountsAnew) {
  PauseCalls calls(monitor_);
  monitor_.Pause("first");
  EXPECT_TRUE(calls.Next());
  AdvanceOnceWaiting(absl::Minutes(10));
  monitor_.Pause("second");
  AdvanceOnceWaiting(absl::Minutes(10));
  EXPECT_TRUE(monitor_.paused());
  AdvanceOnceWaiting(absl::Minutes(5));
  EXPECT_FALSE(calls.Next());
}

TEST_F(StageMonitorTest, PauseAfterResumeEndsByItselfToo) {
  PauseCalls calls(monitor_);
  for (int i = 0; i < 3; ++i) {
    monitor_.Pause("x");
    EXPECT_TRUE(calls.Next());
    monitor_.Resume();
    EXPECT_FALSE(calls.Next());
  }
  monitor_.Pause("x");
  EXPECT_TRUE(calls.Next());
  AdvanceOnceWaiting(absl::Minutes(15));
  EXPECT_FALSE(calls.Next());
}

class CountingTap final : public StageMonitor::TapSink {
 public:
  void Offer(const Batch&, const Event&) override { ++offered; }
  int offered = 0;
};

TEST_F(StageMonitorTest, TapsSeeEveryEventUntilRemovedAndAreAtMostEight) {
  CountingTap taps[9];
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(monitor_.AddTap(&taps[i]));
  EXPECT_FALSE(monitor_.AddTap(&taps[8]));
  monitor_.Observe(DnsBatch(3, 1));
  monitor_.RemoveTap(&taps[0]);
  EXPECT_TRUE(monitor_.AddTap(&taps[8]));
  monitor_.Observe(DnsBatch(2, 1));
  EXPECT_EQ(taps[0].offered, 3);
  EXPECT_EQ(taps[7].offered, 5);
  EXPECT_EQ(taps[8].offered, 2);
}

}  // namespace
}  // namespace nightjar::runtime
