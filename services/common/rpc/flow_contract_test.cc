// The contract of Telemetry/Flow between the real ends, over a real loopback connection: every
// batch ends once, as the stage says. More of it in flow_{credit,reconnect,shutdown}_test.cc.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/rpc/flow_client.h"
#include "services/common/rpc/flow_server.h"
#include "services/common/rpc/flow_testing.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::rpc {
namespace {

using telemetry::v1::FlowRequest;
using telemetry::v1::FlowResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;
using Script = ScriptedHandler::Script;

TEST(FlowContract, EveryBatchEndsOnceWithExactCounts) {
  ScriptedHandler handler(Script::kAccept);
  LoopbackTaker taker(handler, SystemClock());
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  client.Start();
  EndedBatches ended;
  std::vector<uint64_t> names;
  for (uint64_t seq_no = 0; seq_no < 5000; seq_no += 10) {
    names.push_back(seq_no);
    ASSERT_OK(client.Send(MakeBatch(seq_no, 10), ended.Expect(seq_no)));
  }
  ASSERT_TRUE(ended.WaitFor(names.size()));
  EXPECT_THAT(ended.order(), UnorderedElementsAreArray(names));
  // A stage in the middle passes counts on to the sender of each batch, so they may not be mixed.
  for (const uint64_t name : names) EXPECT_EQ(ended.accepted(name), 10) << name;
  EXPECT_EQ(handler.handed_over(), names);
  EXPECT_EQ(client.state().unacked_batches, 0);
}

TEST(FlowContract, BatchesEndInTheOrderInWhichTheStageFinishesThem) {
  ScriptedHandler handler(Script::kHold);
  LoopbackTaker taker(handler, SystemClock());
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  client.Start();
  EndedBatches ended;
  for (uint64_t seq_no : {10, 20, 30}) {
    ASSERT_OK(client.Send(MakeBatch(seq_no, 10), ended.Expect(seq_no)));
  }
  ASSERT_TRUE(handler.WaitForBatches(3));
  handler.Finish(30, Accepted(10));
  ASSERT_TRUE(ended.WaitFor(1));
  handler.Finish(10, Accepted(10));
  ASSERT_TRUE(ended.WaitFor(2));
  handler.Finish(20, Accepted(10));
  ASSERT_TRUE(ended.WaitFor(3));
  EXPECT_THAT(ended.order(), ElementsAre(30, 10, 20));
}

TEST(FlowContract, ABatchThatIsNotTakenComesAgainLater) {
  SimulatedClock clock;
  ScriptedHandler handler(Script::kHold);
  LoopbackTaker taker(handler, clock);
  FlowClient client(ClientOptions(taker.address()), Security(), clock);
  client.Start();
  EndedBatches ended;
  ASSERT_OK(client.Send(MakeBatch(10, 10), ended.Expect(10)));
  ASSERT_TRUE(handler.WaitForBatches(1));
  handler.Finish(10, {absl::UnavailableError("disk full"), {}});
  ASSERT_TRUE(
      AdvanceUntil(clock, [&] { return handler.WaitForBatches(2, absl::Milliseconds(10)); }));
  handler.Finish(10, Accepted(10));
  ASSERT_TRUE(ended.WaitFor(1));
  EXPECT_OK(ended.status(10));
  EXPECT_EQ(client.state().resent_batches, 1);
}

TEST(FlowContract, FencedAndInvalidBatchesEndWithTheTakersWords) {
  ScriptedHandler handler(Script::kHold);
  LoopbackTaker taker(handler, SystemClock());
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  client.Start();
  EndedBatches ended;
  for (uint64_t seq_no : {10, 20, 30}) {
    ASSERT_OK(client.Send(MakeBatch(seq_no, 10), ended.Expect(seq_no)));
  }
  ASSERT_TRUE(handler.WaitForBatches(3));
  handler.Finish(10, {absl::AbortedError("token 7 is newer"), {}});
  handler.Finish(20, {absl::InvalidArgumentError("no epoch"), {}});
  handler.Finish(30, Accepted(10));
  ASSERT_TRUE(ended.WaitFor(3));
  EXPECT_THAT(ended.status(10), StatusIs(absl::StatusCode::kAborted, "token 7 is newer"));
  EXPECT_THAT(ended.status(20), StatusIs(absl::StatusCode::kInvalidArgument, "no epoch"));
  EXPECT_OK(ended.status(30));
  EXPECT_EQ(ended.accepted(), 10);
}

TEST(FlowContract, ABatchOverTheLimitsIsRefusedByBothEnds) {
  ScriptedHandler handler(Script::kAccept);
  LoopbackTaker taker(handler, SystemClock());
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  client.Start();
  EXPECT_THAT(client.Send(MakeBatch(0, kBatchEventsMax + 1), nullptr),
              StatusIs(absl::StatusCode::kInvalidArgument, "batch of 1001 events, limit 1000"));
  BatchPtr huge = MakeBatch(0, 1);
  huge->batch().mutable_events(0)->mutable_dns()->set_query(std::string(kMessageBytesMax, 'a'));
  EXPECT_THAT(client.Send(std::move(huge), nullptr),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("limit 3670016")));

  RawSender sender(taker.address());
  ASSERT_TRUE(sender.SendHello("raw"));
  ASSERT_TRUE(sender.ReadUntil(FlowResponse::kCredit).has_value());
  ASSERT_TRUE(sender.SendBatch(1, MakeBatch(0, kBatchEventsMax + 1)));
  const auto response = sender.ReadUntil(FlowResponse::kNack);
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->nack().id(), 1);
  EXPECT_EQ(response->nack().code(), telemetry::v1::Nack::CODE_INVALID);
  EXPECT_EQ(response->nack().text(), "batch of 1001 events, limit 1000");
  EXPECT_THAT(handler.handed_over(), ElementsAre());
}

TEST(FlowContract, PeersThatBreakTheContractAreTurnedAway) {
  ScriptedHandler handler(Script::kAccept);
  LoopbackTaker taker(handler, SystemClock());
  {
    RawSender sender(taker.address());
    ASSERT_TRUE(sender.SendBatch(1, MakeBatch(10, 10)));
    EXPECT_THAT(sender.Finish(),
                StatusIs(absl::StatusCode::kInvalidArgument, "the first message must be Hello"));
  }
  {
    RawSender sender(taker.address());
    FlowRequest request;
    request.mutable_hello()->set_protocol(9);
    request.mutable_hello()->set_source("raw");
    ASSERT_TRUE(sender.Write(request));
    EXPECT_THAT(sender.Finish(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                          "protocol 9 of the sender, this taker speaks 1"));
  }
  {
    taker.server().SetOpen(false);
    RawSender sender(taker.address());
    ASSERT_TRUE(sender.SendHello("greedy"));
    ASSERT_TRUE(sender.ReadUntil(FlowResponse::kHave).has_value());
    ASSERT_TRUE(sender.SendBatch(1, MakeBatch(10, 10)));
    EXPECT_THAT(sender.Finish(),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("without credit")));
  }
  EXPECT_THAT(handler.handed_over(), ElementsAre());
}

TEST(FlowContract, DurablesReachTheStage) {
  ScriptedHandler handler(Script::kAccept);
  LoopbackTaker taker(handler, SystemClock());
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  telemetry::v1::Durable durable;
  durable.set_epoch("Zk1yS2Vf/0/h1");
  durable.add_closed()->set_to(99);
  client.SendDurable(durable);  // not connected: dropped
  client.Start();
  ASSERT_TRUE(Eventually([&] { return client.state().connected; }));
  durable.mutable_closed(0)->set_to(199);
  client.SendDurable(durable);
  ASSERT_TRUE(handler.WaitForDurables(1));
  EXPECT_EQ(handler.durables()[0].closed(0).to(), 199);
}

}  // namespace
}  // namespace nightjar::rpc
