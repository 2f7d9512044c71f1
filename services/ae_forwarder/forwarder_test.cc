#include "services/ae_forwarder/forwarder_testing.h"

// What a forwarder does when all is well, and what it never does twice.

namespace nightjar::ae_forwarder {
namespace {

using fakes::EngineFault;
using telemetry::v1::Event;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST_F(ForwarderTest, ABatchIsAckedWhenTheEngineHasAllOfIt) {
  Start();
  EXPECT_THAT(Deliver(Dns(0, 100)), ElementsAre(Pair("accepted dns", 100)));
  ExpectAccepted(0, 100);
  ExpectBooks(100);
}

TEST_F(ForwarderTest, TypesGoToTheirPathsAndWhatHasNoneIsFiltered) {
  Start();
  auto batch = Dns(0, 1);
  const auto add = [&](int64_t number) -> Event& {
    Event& event = *batch->batch().add_events();
    event.set_seq_no(number);
    return event;
  };
  add(2).mutable_ip()->set_transport("tcp");
  add(3).mutable_http()->set_url("http://a/");
  add(4).mutable_tls();
  add(5).mutable_icmp();
  add(6).mutable_other()->set_dataset("redis");
  EXPECT_THAT(Deliver(std::move(batch)),
              UnorderedElementsAre(Pair("accepted dns", 1), Pair("accepted ip", 1),
                                   Pair("accepted http", 1), Pair("accepted tls", 1),
                                   Pair("filtered(icmp_transaction) icmp", 1),
                                   Pair("filtered(unsupported_type) other", 1)));
  EXPECT_THAT(engine_.stats().accepted_by_type,
              ElementsAre(Pair("dns", 1), Pair("http", 1), Pair("ip", 1), Pair("tls", 1)));
  ExpectBooks(6);
}

TEST_F(ForwarderTest, AnEmptyBatchEndsAtOnce) {
  Start();
  EXPECT_THAT(Deliver(Dns(5, 5)), IsEmpty());
  EXPECT_EQ(engine_.stats().posts, 0u);
}

TEST_F(ForwarderTest, ABacklogTravelsInFullBodies) {
  options_.body = {500, 4 << 20};
  Start();
  std::vector<std::future<rpc::BatchResult>> results;
  for (int i = 0; i < 20; ++i) results.push_back(Send(Dns(1000 * i, 1000 * (i + 1))));
  for (auto& result : results) EXPECT_OK(Await(std::move(result)).status);
  ExpectAccepted(0, 20'000);
  ExpectBooks(20'000);
  EXPECT_EQ(engine_.stats().body_events_max, 500u);
  EXPECT_LT(engine_.stats().posts, 60u);
}

TEST_F(ForwarderTest, WhatHasEndedIsNotSentAgain) {
  Start();
  Deliver(Dns(0, 100));
  EXPECT_THAT(Deliver(Dns(50, 150)), ElementsAre(Pair("accepted dns", 50),
                                                 Pair("filtered(duplicate_suppressed) dns", 50)));
  ExpectAccepted(0, 150);
  ExpectBooks(200);
}

TEST_F(ForwarderTest, WhatHasEndedIsNotSentAgainAfterARestart) {
  Start();
  Deliver(Dns(0, 100));
  Kill();
  Start();
  EXPECT_THAT(Deliver(Dns(0, 100)), ElementsAre(Pair("filtered(duplicate_suppressed) dns", 100)));
  ExpectAccepted(0, 100);
}

TEST_F(ForwarderTest, AnEventInFlightTwiceIsSentOnceAndBothBatchesEnd) {
  engine_.SetFault(EngineFault{EngineFault::Kind::kStatus, 503, {}, {}});
  Start();
  auto first = Send(Dns(0, 100));
  auto second = Send(Dns(50, 150));
  auto third = Send(Dns(99, 100));
  engine_.SetFault({});
  EXPECT_THAT(CountsOf(Await(std::move(first)).counts), ElementsAre(Pair("accepted dns", 100)));
  EXPECT_THAT(
      CountsOf(Await(std::move(second)).counts),
      ElementsAre(Pair("accepted dns", 50), Pair("filtered(duplicate_suppressed) dns", 50)));
  EXPECT_THAT(CountsOf(Await(std::move(third)).counts),
              ElementsAre(Pair("filtered(duplicate_suppressed) dns", 1)));
  ExpectAccepted(0, 150);
  ExpectBooks(201);
}

TEST_F(ForwarderTest, AnEventTwiceInOneBatchIsSentOnce) {
  Start();
  auto batch = Dns(0, 2);
  *batch->batch().add_events() = batch->batch().events(0);
  EXPECT_THAT(Deliver(std::move(batch)),
              ElementsAre(Pair("accepted dns", 2), Pair("filtered(duplicate_suppressed) dns", 1)));
  ExpectAccepted(0, 2);
}

TEST_F(ForwarderTest, HashesIdentifyEventsWhereNumbersRepeat) {
  Start();
  const auto by_hash = [](uint64_t hash) {
    auto batch = Dns(4, 5);
    batch->batch().set_identity(telemetry::v1::IDENTITY_DOCUMENT_HASH);
    batch->batch().mutable_events(0)->set_document_hash(hash);
    return batch;
  };
  EXPECT_THAT(Deliver(by_hash(1)), ElementsAre(Pair("accepted dns", 1)));
  EXPECT_THAT(Deliver(by_hash(2)), ElementsAre(Pair("accepted dns", 1)));
  EXPECT_THAT(Deliver(by_hash(1)), ElementsAre(Pair("filtered(duplicate_suppressed) dns", 1)));
}

TEST_F(ForwarderTest, AnOlderOwnerIsFencedAlsoAfterARestart) {
  Start();
  Deliver(Dns(0, 10, /*token=*/5));
  EXPECT_THAT(Await(Send(Dns(10, 20, 4))).status,
              StatusIs(absl::StatusCode::kAborted, HasSubstr("newer owner")));
  Kill();
  Start();
  EXPECT_THAT(Await(Send(Dns(10, 20, 4))).status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(Deliver(Dns(10, 20, 5)), ElementsAre(Pair("accepted dns", 10)));
}

TEST_F(ForwarderTest, ABatchThatBreaksTheContractIsRefusedForGood) {
  Start();
  auto no_identity = Dns(0, 1);
  no_identity->batch().clear_identity();
  EXPECT_THAT(Await(Send(std::move(no_identity))).status,
              StatusIs(absl::StatusCode::kInvalidArgument));
  auto out_of_range = Dns(0, 1);
  out_of_range->batch().mutable_events(0)->set_seq_no(~uint64_t{0});
  EXPECT_THAT(Await(Send(std::move(out_of_range))).status,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("out of range")));
}

TEST_F(ForwarderTest, NoMoreCreditWhileTheEndedSetIsFull) {
  options_.ended_entries_max = 3;
  Start();
  for (int64_t n = 0; n < 6; n += 2) Deliver(Dns(n, n + 1));
  telemetry::v1::Durable durable;
  durable.set_epoch(kEpoch);
  auto& closed = *durable.add_closed();
  closed.set_from(-1);
  closed.set_to(3);
  AwaitReason("no more credit");
  life_->forwarder->OnDurable(durable);
  EXPECT_THAT(credit_, ElementsAre(false, true));
  EXPECT_EQ(life_->state->ended.entries(), 1u);
  EXPECT_THAT(Reason(), IsEmpty());
}

TEST_F(ForwarderTest, PausingStopsCreditAndResumingGrantsIt) {
  Start();
  life_->forwarder->SetPaused(true);
  life_->forwarder->SetPaused(true);
  life_->forwarder->SetPaused(false);
  EXPECT_THAT(credit_, ElementsAre(false, true));
}

}  // namespace
}  // namespace nightjar::ae_forwarder
