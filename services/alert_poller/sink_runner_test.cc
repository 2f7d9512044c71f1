#include "services/alert_poller/sink_runner.h"

#include "services/alert_poller/poller_testing.h"

namespace nightjar::alert_poller {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

class SinkRunnerTest : public PollerTest {
 protected:
  // The value of a metric's line that holds `text`.
  std::string Metric(const std::string& text) {
    const std::string all = life_->metrics.Render();
    const size_t at = all.find(text);
    if (at == std::string::npos) return "none";
    const size_t value = all.find("} ", at) + 2;
    return all.substr(value, all.find('\n', value) - value);
  }
};

TEST_F(SinkRunnerTest, ADeadSinkNeitherRepeatsNorDelaysTheOthersAndGetsItsAlertsWhenItHeals) {
  places_["syslog"].SetDead(true);
  ASSERT_OK(Start({"file", "syslog"}));
  for (int page = 0; page < 10; ++page) {
    engine_.QueueAlerts(PageOf(page * 10 + 1, 10));
    PollAll();
  }
  ASSERT_EQ(places_["file"].Await(100), 100u);
  AwaitReason("sink_syslog: the fake place is dead. Its alerts are kept");
  EXPECT_NE(Metric("nightjar_sink_spool_bytes{sink=\"syslog\"}"), "0");
  places_["syslog"].SetDead(false);
  ASSERT_EQ(places_["syslog"].Await(100), 100u);
  for (const char* name : {"file", "syslog"}) {
    EXPECT_THAT(places_[name].counts(), SizeIs(100));
    EXPECT_THAT(places_[name].counts(), Each(Pair(testing::_, 1))) << name;
  }
}

TEST_F(SinkRunnerTest, EachSinkGoesOnFromItsOwnPositionAfterARestart) {
  places_["syslog"].SetDead(true);
  ASSERT_OK(Start({"file", "syslog"}));
  engine_.QueueAlerts(PageOf(1, 3));
  PollAll();
  places_["file"].Await(3);
  life_.reset();
  places_["syslog"].SetDead(false);
  ASSERT_OK(Start({"file", "syslog"}));
  ASSERT_EQ(places_["syslog"].Await(3), 3u);
  engine_.QueueAlerts(PageOf(4, 1));
  PollAll();
  ASSERT_EQ(places_["file"].Await(4), 4u);
  EXPECT_THAT(places_["file"].messages(), ElementsAre("id-1", "id-2", "id-3", "id-4"));
}

// Once the log was trimmed when only the first sink had been opened.
TEST_F(SinkRunnerTest, ARestartRemovesNothingThatOneOfTheSinksStillNeeds) {
  log_options_.segment_bytes_max = 1;  // a file a page
  places_["syslog"].SetDead(true);
  ASSERT_OK(Start({"file", "syslog"}));
  for (int page = 1; page <= 5; ++page) {
    engine_.QueueAlerts(PageOf(page, 1));
    PollAll();
  }
  places_["file"].Await(5);
  life_.reset();
  places_["syslog"].SetDead(false);
  ASSERT_OK(Start({"file", "syslog"}));
  ASSERT_EQ(places_["syslog"].Await(5), 5u);
}

TEST_F(SinkRunnerTest, ANewSinkBeginsWithTheNextAlert) {
  ASSERT_OK(Start({"file"}));
  engine_.QueueAlerts(PageOf(1, 3));
  PollAll();
  places_["file"].Await(3);
  life_.reset();
  ASSERT_OK(Start({"file", "new"}));
  engine_.QueueAlerts(PageOf(4, 1));
  PollAll();
  places_["new"].Await(1);
  EXPECT_THAT(places_["new"].messages(), ElementsAre("id-4"));
}

TEST_F(SinkRunnerTest, BeyondTheLimitTheOldestAreDroppedForTheDeadSinkCountedAndSaid) {
  log_options_.segment_bytes_max = 500;
  log_options_.bytes_max = 2000;
  places_["dead"].SetDead(true);
  ASSERT_OK(Start({"file", "dead"}));
  for (size_t page = 0; page < 20; ++page) {
    engine_.QueueAlerts(PageOf(static_cast<int>(page * 10 + 1), 10));
    PollAll();
    ASSERT_EQ(places_["file"].Await((page + 1) * 10), (page + 1) * 10);
  }
  places_["dead"].AwaitTries(1);
  places_["dead"].SetDead(false);
  while (Metric("nightjar_sink_spool_bytes{sink=\"dead\"}") != "0") std::this_thread::yield();
  const size_t arrived = places_["dead"].messages().size();
  EXPECT_EQ(places_["dead"].messages().back(), "id-200");
  EXPECT_LT(arrived, 100u);
  EXPECT_EQ(Metric("nightjar_sink_alerts_total{outcome=\"sink_overflow\",sink=\"dead\"}"),
            absl::StrCat(200 - arrived));
  EXPECT_EQ(Metric("nightjar_sink_alerts_total{outcome=\"delivered\",sink=\"dead\"}"),
            absl::StrCat(arrived));
}

TEST_F(SinkRunnerTest, AWipedLogDoesNotMakeASinkSkipWhatComes) {
  ASSERT_OK(Start({"file"}));
  engine_.QueueAlerts(PageOf(1, 3));
  PollAll();
  places_["file"].Await(3);
  life_.reset();
  const std::string folder = absl::StrCat(kFolder, "/log");
  const auto names = files_->List(folder);
  ASSERT_OK(names);
  for (const std::string& name : *names) {
    ASSERT_OK(files_->Remove(folder + "/" + name));
  }
  ASSERT_OK(Start({"file"}));
  PollAll();
  ASSERT_EQ(places_["file"].Await(6), 6u) << "all that the engine keeps, once more";
}

}  // namespace
}  // namespace nightjar::alert_poller
