#include "services/ae_forwarder/forwarder_testing.h"

// What becomes of events when the engine or the disk fails.
#include <cerrno>

namespace nightjar::ae_forwarder {
namespace {

using fakes::EngineFault;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST_F(ForwarderTest, A429IsWaitedOutWithOneRequest) {
  Start();
  engine_.FailNext(1, {EngineFault::Kind::kStatus, 429, 1, {}});
  EXPECT_THAT(Deliver(Dns(0, 10)), ElementsAre(Pair("accepted dns", 10)));
  EXPECT_EQ(engine_.stats().posts, 2u);
  ExpectAccepted(0, 10);
}

TEST_F(ForwarderTest, AStormOfErrorsLosesNothingAndRepeatsNothing) {
  options_.body = {100, 4 << 20};
  Start();
  for (int i = 0; i < 15; ++i) {
    engine_.FailNext(1, {EngineFault::Kind::kStatus, i % 3 == 0 ? 500 : 503, {}, {}});
    engine_.FailNext(1, {EngineFault::Kind::kHtml, 0, {}, {}});
    engine_.FailNext(1, {EngineFault::Kind::kSlow, 0, {}, absl::Milliseconds(1)});
  }
  std::vector<std::future<rpc::BatchResult>> results;
  for (int i = 0; i < 10; ++i) results.push_back(Send(Dns(1000 * i, 1000 * (i + 1))));
  for (auto& result : results) EXPECT_OK(Await(std::move(result)).status);
  ExpectAccepted(0, 10'000);
  ExpectBooks(10'000);
}

TEST_F(ForwarderTest, ALostReplyRepeatsThatBodyOnly) {
  options_.body = {100, 4 << 20};
  Start();
  engine_.FailNext(1, {EngineFault::Kind::kDropReply, 0, {}, {}});
  EXPECT_THAT(Deliver(Dns(0, 1000)), ElementsAre(Pair("accepted dns", 1000)));
  uint64_t repeated = 0;
  for (const auto& [id, times] : engine_.accepted_ids()) repeated += times - 1;
  EXPECT_EQ(engine_.accepted_ids().size(), 1000u);
  EXPECT_EQ(repeated, 100u);
}

TEST_F(ForwarderTest, AReplyThatCannotBeTrueIsNoAcceptance) {
  Start();
  engine_.FailNext(2, {EngineFault::Kind::kWrongCounts, 0, {}, {}});
  EXPECT_THAT(Deliver(Dns(0, 10)), ElementsAre(Pair("accepted dns", 10)));
  EXPECT_EQ(engine_.stats().posts, 3u);
}

TEST_F(ForwarderTest, AnEngineThatAnswersHtmlIsNamedUntilItRecovers) {
  Start();
  engine_.SetFault(EngineFault{EngineFault::Kind::kHtml, 0, {}, {}});
  auto result = Send(Dns(0, 10));
  AwaitReason("an HTML page");
  engine_.SetFault({});
  EXPECT_OK(Await(std::move(result)).status);
  EXPECT_THAT(Reason(), IsEmpty());
  ExpectAccepted(0, 10);
}

TEST_F(ForwarderTest, RejectedEventsAreCountedWithTheEnginesReason) {
  engine_.RejectLinesWith("nj7x", "bad name");
  Start();
  EXPECT_THAT(Deliver(Dns(0, 10)),
              ElementsAre(Pair("accepted dns", 9), Pair("rejected(bad_name) dns", 1)));
  ExpectBooks(10);
}

TEST_F(ForwarderTest, APoisonEventIsFoundWith22PostsAndQuarantined) {
  engine_.RefuseBodiesWith("nj337x");
  Start();
  EXPECT_THAT(Deliver(Dns(0, 1000)),
              ElementsAre(Pair("accepted dns", 999), Pair("quarantined(engine_refused) dns", 1)));
  EXPECT_LE(engine_.stats().posts, 22u);
  EXPECT_EQ(engine_.accepted_ids().count(337), 0u);
  ExpectAccepted(337, 1000);
  EXPECT_THAT(*files_.Read(absl::StrCat(kFolder, "/quarantine.ndjson")),
              testing::AllOf(HasSubstr("\"seqNo\":337,"), HasSubstr("malformed event"),
                             HasSubstr(R"(\"query\":\"nj337x.example\")")));
  ExpectBooks(1000);
}

TEST_F(ForwarderTest, AFullQuarantineIsCountedAndAlarmed) {
  quarantine_bytes_max_ = 10;
  engine_.RefuseBodiesWith("nj3x");
  Start();
  EXPECT_THAT(Deliver(Dns(0, 10)),
              ElementsAre(Pair("accepted dns", 9), Pair("quarantined(quarantine_full) dns", 1)));
  EXPECT_THAT(Reason(), HasSubstr("the quarantine is full"));
}

TEST_F(ForwarderTest, AnEngineThatRefusesEveryEventHoldsThemAll) {
  options_.hold_wait = absl::Milliseconds(5);
  engine_.RefuseBodiesWith("query");
  Start();
  auto result = Send(Dns(0, 1000));
  AwaitReason("refuses every dns event");
  EXPECT_EQ(life_->state->quarantine->bytes(), 0u);
  engine_.RefuseBodiesWith("");
  EXPECT_THAT(CountsOf(Await(std::move(result)).counts), ElementsAre(Pair("accepted dns", 1000)));
  EXPECT_THAT(Reason(), IsEmpty());
  ExpectAccepted(0, 1000);
}

TEST_F(ForwarderTest, ARefusedKeyHoldsEverythingUntilAnotherComes) {
  engine_.SetApiKey("new-key");
  Start();
  auto result = Send(Dns(0, 10));
  AwaitReason("correct engine.api_key");
  EXPECT_EQ(engine_.stats().accepted, 0u);
  ConfigureKey("new-key");
  life_->forwarder->ReloadApiKey();
  EXPECT_OK(Await(std::move(result)).status);
  EXPECT_THAT(Reason(), IsEmpty());
  ExpectAccepted(0, 10);
}

TEST_F(ForwarderTest, ARefusedKeyIsReadAgainByItself) {
  engine_.SetApiKey("new-key");
  ConfigureKey("new-key");
  Start();
  EXPECT_THAT(Deliver(Dns(0, 10)), ElementsAre(Pair("accepted dns", 10)));
}

TEST_F(ForwarderTest, NothingIsAckedBeforeItIsOnDisk) {
  Start();
  Deliver(Dns(0, 10));
  files_.FailOperation(1, ENOSPC);
  EXPECT_THAT(Deliver(Dns(10, 20)), ElementsAre(Pair("accepted dns", 10)));
  Kill();
  Start();
  EXPECT_THAT(Deliver(Dns(0, 20)), ElementsAre(Pair("filtered(duplicate_suppressed) dns", 20)));
  ExpectAccepted(0, 20);
}

TEST_F(ForwarderTest, ADiskThatStaysFullIsNamedAndHealsWithoutLossOrRepeat) {
  Start();
  files_.PowerOffAfter(0);  // every operation fails
  auto result = Send(Dns(0, 10));
  AwaitReason("state cannot be written");
  EXPECT_EQ(result.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  files_.LosePower(1);
  EXPECT_OK(Await(std::move(result)).status);
  EXPECT_THAT(Reason(), IsEmpty());
  ExpectAccepted(0, 10);
}

TEST_F(ForwarderTest, StoppingHandsBackWhatWasNotSent) {
  engine_.SetFault(EngineFault{EngineFault::Kind::kStatus, 503, {}, {}});
  Start();
  auto waiting = Send(Dns(0, 10));
  life_->forwarder->Shutdown();
  life_->forwarder->Shutdown();
  EXPECT_THAT(Await(std::move(waiting)).status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Await(Send(Dns(10, 20))).status, StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace nightjar::ae_forwarder
