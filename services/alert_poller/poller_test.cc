#include "services/alert_poller/poller.h"

#include <cerrno>
#include <random>

#include "services/alert_poller/poller_testing.h"

namespace nightjar::alert_poller {
namespace {

using fakes::EngineFault;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(PollerTest, PagesAreFetchedOneAfterAnotherAndEveryAlertArrivesOnceInOrder) {
  engine_.QueueAlerts(PageOf(1, 2));
  engine_.QueueAlerts(PageOf(3, 1));
  ASSERT_OK(Start());
  EXPECT_EQ(life_->poller->Step(), absl::ZeroDuration()) << "more follows";
  EXPECT_EQ(life_->poller->Step(), options_.poll_interval);
  EXPECT_THAT(engine_.polls(), ElementsAre("", "page-1"));
  places_["one"].Await(3);
  EXPECT_THAT(places_["one"].messages(), ElementsAre("id-1", "id-2", "id-3"));
  EXPECT_THAT(published_, ElementsAre("id-1", "id-2", "id-3"));
}

TEST_F(PollerTest, ARestartGoesOnBehindTheBookmark) {
  engine_.QueueAlerts(PageOf(1, 2));
  ASSERT_OK(Start());
  PollAll();
  places_["one"].Await(2);
  life_.reset();
  engine_.QueueAlerts(PageOf(3, 1));
  ASSERT_OK(Start());
  PollAll();
  places_["one"].Await(3);
  EXPECT_THAT(engine_.polls(), ElementsAre("", "page-1"));
  EXPECT_THAT(places_["one"].messages(), ElementsAre("id-1", "id-2", "id-3"));
}

TEST_F(PollerTest, APageThatComesAgainIsNotDeliveredAgain) {
  ASSERT_OK(Start());
  engine_.SetAlertsReply(R"({"follow":"a","more":false,"alerts":[)" + PageOf(1, 2) + "]}");
  PollAll();
  PollAll();
  engine_.SetAlertsReply(R"({"more":false,"alerts":[)" + PageOf(1, 3) + "]}");
  PollAll();
  EXPECT_EQ(life_->log->follow(), "a") << "no bookmark: the one before stays";
  EXPECT_THAT(published_, ElementsAre("id-1", "id-2", "id-3"));
}

TEST_F(PollerTest, AlikeAlertsWithoutIdsAreAllDeliveredUnlessThePageComesAgain) {
  ASSERT_OK(Start());
  const std::string alike = R"({"eventType":"dns","threats":["t"]})";
  engine_.SetAlertsReply(R"({"follow":"a","alerts":[)" + alike + "," + alike + "]}");
  PollAll();
  EXPECT_THAT(published_, SizeIs(2));
  PollAll();
  EXPECT_THAT(published_, SizeIs(2)) << "the same page";
  engine_.SetAlertsReply(R"({"follow":"b","alerts":[)" + alike + "]}");
  PollAll();
  EXPECT_THAT(published_, SizeIs(3));
}

TEST_F(PollerTest, MoreWithABookmarkThatNeverMovesIsStoppedAndSaid) {
  ASSERT_OK(Start());
  engine_.SetAlertsReply(R"({"follow":"a","more":true,"alerts":[]})");
  int polls = 1;
  while (life_->poller->Step() < options_.poll_interval) ++polls;
  EXPECT_EQ(polls, 5) << "the first, and more than three behind the same bookmark";
  EXPECT_THAT(Reason(), HasSubstr("gives the same bookmarks again"));
  engine_.SetAlertsReply(R"({"follow":"b","more":false,"alerts":[]})");
  PollAll();
  EXPECT_EQ(Reason(), "");
}

TEST_F(PollerTest, BookmarksThatGoRoundAreALoopToo) {
  ASSERT_OK(Start());
  int polls = 0;
  do {
    engine_.SetAlertsReply(absl::StrCat(R"({"follow":")", polls % 2 == 0 ? "a" : "b",
                                        R"(","more":true,"alerts":[)", PageOf(1, 1), "]}"));
    ASSERT_LT(++polls, 20);
  } while (life_->poller->Step() < options_.poll_interval);
  EXPECT_THAT(published_, ElementsAre("id-1"));
}

TEST_F(PollerTest, WhatIsNoPageMovesNothing) {
  engine_.QueueAlerts(PageOf(1, 1));
  ASSERT_OK(Start());
  for (const char* reply : {"[]", R"({"follow":"evil","alerts":{}})", R"({"follow":7})"}) {
    engine_.SetAlertsReply(reply);
    life_->poller->Step();
    EXPECT_EQ(life_->log->follow(), "");
  }
  EXPECT_THAT(Reason(), HasSubstr("no page of alerts"));
  engine_.SetAlertsReply(std::nullopt);
  PollAll();
  EXPECT_THAT(published_, ElementsAre("id-1"));
  EXPECT_EQ(Reason(), "");
}

TEST_F(PollerTest, RetryAfterIsObeyedUpToALimit) {
  ASSERT_OK(Start());
  EngineFault fault;
  fault.status = 429;
  fault.retry_after_seconds = 4;
  engine_.FailNextPolls(1, fault);
  EXPECT_GE(life_->poller->Step(), absl::Seconds(4));
  fault.retry_after_seconds = 86'400;
  engine_.FailNextPolls(1, fault);
  EXPECT_LE(life_->poller->Step(), options_.backoff.retry_after_max * 1.1);
  EXPECT_THAT(Reason(), HasSubstr("cut to that"));
}

TEST_F(PollerTest, ARefusedKeyIsReadAgainAndHeldSlowlyMeanwhile) {
  ASSERT_OK(Start());
  engine_.SetApiKey("new-key");
  EXPECT_GE(life_->poller->Step(), absl::Seconds(4)) << "cut to retry_after_max of the test";
  EXPECT_THAT(Reason(), HasSubstr("correct engine.api_key"));
  configured_key_ = "new-key";
  EXPECT_EQ(life_->poller->Step(), absl::ZeroDuration()) << "there is another key now";
  PollAll();
  EXPECT_EQ(Reason(), "");
}

TEST_F(PollerTest, ARefusedBookmarkIsSaidWithTheWayOut) {
  ASSERT_OK(Start());
  ASSERT_OK(life_->log->Append({}, "gone"));
  life_->poller->Step();
  EXPECT_THAT(Reason(), HasSubstr("The bookmark is \"gone\""));
  EXPECT_EQ(life_->log->follow(), "gone");
}

TEST_F(PollerTest, AFullDiskLosesNothingAndHeals) {
  engine_.QueueAlerts(PageOf(1, 3));
  ASSERT_OK(Start({}));
  files_->FailOperation(2, ENOSPC);
  EXPECT_EQ(life_->poller->Step(), options_.state_retry_wait);
  EXPECT_THAT(Reason(), HasSubstr("No alert is lost"));
  EXPECT_THAT(published_, IsEmpty());
  PollAll();
  EXPECT_THAT(published_, ElementsAre("id-1", "id-2", "id-3"));
  EXPECT_EQ(Reason(), "");
}

// The alerts of every crash point: of poll, write of the log, delivery, save of the position.
TEST_F(PollerTest, PowerLossAtAnyStepLosesNoAlert) {
  constexpr size_t kRuns = 500, kPages = 3, kPageAlerts = 3;
  for (size_t page = 0; page < kPages; ++page) {
    engine_.QueueAlerts(PageOf(static_cast<int>(page * kPageAlerts + 1), kPageAlerts));
  }
  log_options_.segment_bytes_max = 300;
  std::mt19937_64 random(20261124);
  for (size_t run = 0; run < kRuns; ++run) {
    life_.reset();
    files_ = std::make_unique<checkpoint::FakeFileSystem>();
    places_.clear();
    int crashes = 0;
    for (; crashes < 4; ++crashes) {
      files_->PowerOffAfter(static_cast<int>(random() % 30));
      if (Start().ok()) {
        for (size_t poll = 0; poll < kPages; ++poll) life_->poller->Step();
      }
      Kill(random());
    }
    ASSERT_OK(Start()) << "run " << run;
    PollAll();
    ASSERT_EQ(places_["one"].AwaitDistinct(kPages * kPageAlerts), kPages * kPageAlerts)
        << "run " << run;
    for (const auto& [id, count] : places_["one"].counts())
      ASSERT_LE(count, crashes + 1) << id << ", run " << run;
  }
}

}  // namespace
}  // namespace nightjar::alert_poller
