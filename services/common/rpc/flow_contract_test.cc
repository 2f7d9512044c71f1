// The contract of Telemetry/Flow between the real ends, over a real loopback connection: every
// batch ends once, whatever breaks, and no more is under way than was granted.
#include <atomic>
#include <numeric>
#include <random>
#include <set>
#include <thread>

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
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;
using Script = ScriptedHandler::Script;

FlowClientOptions ClientOptions(const std::string& address, const std::string& source = "reader") {
  FlowClientOptions options;
  options.address = address;
  options.source = source;
  options.reconnect_min = absl::Milliseconds(1);
  options.reconnect_max = absl::Milliseconds(20);
  return options;
}

// Lets `condition` come true by moving the clock in steps too small for a watchdog. The peers'
// messages travel in real time, so each step gives them a moment.
template <typename Condition>
bool AdvanceUntil(SimulatedClock& clock, Condition condition) {
  std::mutex mutex;
  std::condition_variable never;
  for (int i = 0; i < 1000; ++i) {
    std::unique_lock<std::mutex> lock(mutex);
    if (SystemClock().WaitFor(lock, never, absl::Milliseconds(1), condition)) return true;
    clock.Advance(absl::Milliseconds(100));
  }
  return false;
}

template <typename Condition>
bool Eventually(Condition condition) {
  const absl::Duration deadline = SystemClock().Monotonic() + kTestPatience;
  while (!condition()) {
    if (SystemClock().Monotonic() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

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

TEST(FlowContract, ABatchOfOneLargeEventGoesThroughOverItsCredit) {
  ScriptedHandler handler(Script::kAccept);
  FlowServerOptions options;
  options.credit_bytes = 2 << 20;
  LoopbackTaker taker(handler, SystemClock(), 0, options);
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  client.Start();
  EndedBatches ended;
  for (uint64_t seq_no = 0; seq_no < 10; ++seq_no) {
    BatchPtr large = MakeBatch(seq_no, 1);
    large->batch().mutable_events(0)->mutable_dns()->set_query(std::string(3 << 20, 'a'));
    ASSERT_OK(client.Send(std::move(large), ended.Expect(seq_no)));
  }
  EXPECT_TRUE(ended.WaitFor(10));
}

TEST(FlowContract, AKilledTakerGetsWhatWasNotAckedAgain) {
  SimulatedClock clock;
  ScriptedHandler first(Script::kHold);
  auto taker = std::make_unique<LoopbackTaker>(first, clock);
  const int port = taker->port();
  FlowClient client(ClientOptions(taker->address()), Security(), clock);
  client.Start();
  EndedBatches ended;
  for (uint64_t seq_no : {10, 20, 30, 40}) {
    ASSERT_OK(client.Send(MakeBatch(seq_no, 10), ended.Expect(seq_no)));
  }
  ASSERT_TRUE(first.WaitForBatches(4));
  first.Finish(20, Accepted(10));
  ASSERT_TRUE(ended.WaitFor(1));
  taker.reset();
  first.Finish(30, Accepted(10));  // too late: nobody hears of it

  ScriptedHandler second(Script::kAccept);
  taker = std::make_unique<LoopbackTaker>(second, clock, port);
  ASSERT_TRUE(
      AdvanceUntil(clock, [&] { return second.WaitForBatches(3, absl::Milliseconds(20)); }));
  ASSERT_TRUE(ended.WaitFor(4));
  EXPECT_THAT(second.handed_over(), ElementsAre(10, 30, 40));
  EXPECT_THAT(ended.order(), UnorderedElementsAre(10, 20, 30, 40));
  EXPECT_EQ(ended.accepted(), 40);
  EXPECT_EQ(client.state().resent_batches, 3);
}

TEST(FlowContract, AReconnectSendsAgainOnlyWhatTheTakerLacks) {
  SimulatedClock clock;
  ScriptedHandler handler(Script::kHold);
  LoopbackTaker taker(handler, clock);
  FlowClient client(ClientOptions(taker.address()), Security(), clock);
  client.Start();
  EndedBatches ended;
  for (uint64_t seq_no : {10, 20, 30, 40}) {
    ASSERT_OK(client.Send(MakeBatch(seq_no, 10), ended.Expect(seq_no)));
  }
  ASSERT_TRUE(handler.WaitForBatches(4));
  // Takes the source over, which ends the client's stream; the client stays away until the clock
  // moves.
  RawSender intruder(taker.address());
  ASSERT_TRUE(intruder.SendHello("reader", {1, 2, 3, 4}));
  ASSERT_TRUE(intruder.ReadUntil(FlowResponse::kHave).has_value());
  ASSERT_TRUE(Eventually([&] { return !client.state().connected; }));
  handler.Finish(20, Accepted(10));
  handler.Finish(30, {absl::InvalidArgumentError("no epoch"), {}});
  handler.Finish(40, {absl::UnavailableError("disk full"), {}});

  ASSERT_TRUE(AdvanceUntil(clock, [&] { return ended.WaitFor(2, absl::Milliseconds(20)); }));
  ASSERT_TRUE(handler.WaitForBatches(5));  // the one that was not taken
  handler.Release();
  ASSERT_TRUE(ended.WaitFor(4));
  EXPECT_THAT(handler.handed_over(), ElementsAre(10, 20, 30, 40, 40));
  EXPECT_THAT(ended.order(), UnorderedElementsAre(10, 20, 30, 40));
  EXPECT_THAT(ended.status(30), StatusIs(absl::StatusCode::kInvalidArgument, "no epoch"));
  EXPECT_EQ(ended.accepted(), 30);
  EXPECT_EQ(client.state().resent_batches, 1);
}

TEST(FlowContract, WorkOfASenderThatWentAwayKeepsItsCredit) {
  ScriptedHandler handler(Script::kHold);
  LoopbackTaker taker(handler, SystemClock());
  {
    FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
    client.Start();
    ASSERT_OK(client.Send(MakeBatch(10, 10), [](BatchResult) { FAIL(); }));
    ASSERT_TRUE(handler.WaitForBatches(1));
  }
  ASSERT_TRUE(Eventually([&] { return taker.server().state().streams == 0; }));
  EXPECT_EQ(taker.server().state().unfinished_batches, 1);
  EXPECT_EQ(taker.server().state().unused_batches, 0);
  handler.Finish(10, Accepted(10));
  EXPECT_EQ(taker.server().state().unfinished_batches, 0);
  EXPECT_EQ(taker.server().state().unfinished_bytes, 0);
}

// Sends from its own thread until the client shuts down.
class EagerSender {
 public:
  EagerSender(FlowClient& client, int events) : client_(client) {
    thread_ = std::thread([this, events] {
      for (uint64_t seq_no = 0; client_.Send(MakeBatch(seq_no, events), [](BatchResult) {}).ok();
           seq_no += events) {
      }
    });
  }
  ~EagerSender() {
    client_.Shutdown(absl::ZeroDuration());
    thread_.join();
  }

 private:
  FlowClient& client_;
  std::thread thread_;
};

// True when nobody can send any more although everybody wants to.
bool IsFull(const FlowClient& client) {
  const FlowClient::State state = client.state();
  return state.connected && state.unacked_batches > 0 && state.credit_batches == 0;
}

TEST(FlowContract, AHandlerThatNeverFinishesHoldsNoMoreThanWasGranted) {
  ScriptedHandler handler(Script::kHold);
  LoopbackTaker taker(handler, SystemClock());
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  client.Start();
  EagerSender eager(client, 1);
  ASSERT_TRUE(handler.WaitForBatches(32));
  ASSERT_TRUE(Eventually([&] { return IsFull(client); }));
  EXPECT_EQ(client.state().unacked_batches, 32);  // half of 64: the rest is for a newcomer
  EXPECT_EQ(taker.server().state().unfinished_batches, 32);
  // One that ends makes room for exactly one.
  handler.Finish(0, Accepted(1));
  ASSERT_TRUE(handler.WaitForBatches(33));
  EXPECT_EQ(taker.server().state().unfinished_batches, 32);
}

TEST(FlowContract, BytesAreHeldToTheirCreditLikeBatches) {
  ScriptedHandler handler(Script::kHold);
  FlowServerOptions options;
  options.credit_bytes = 2 << 20;
  LoopbackTaker taker(handler, SystemClock(), 0, options);
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  client.Start();
  const uint64_t batch_bytes = MakeBatch(0, 1000)->batch().ByteSizeLong();
  EagerSender eager(client, 1000);
  ASSERT_TRUE(Eventually([&] {
    const FlowClient::State state = client.state();
    return state.unacked_batches > 10 && state.credit_bytes < batch_bytes &&
           handler.handed_over().size() == state.unacked_batches;
  }));
  EXPECT_GT(client.state().credit_batches, 0u) << "bytes are what is short";
  EXPECT_LE(handler.bytes_held(), uint64_t{1 << 20});
  EXPECT_LE(taker.server().state().unfinished_bytes, 1 << 20);
  EXPECT_EQ(static_cast<uint64_t>(taker.server().state().unfinished_bytes), handler.bytes_held());
}

TEST(FlowContract, TwoSendersShareTheCreditAndANewcomerFindsSome) {
  ScriptedHandler handler(Script::kHold);
  LoopbackTaker taker(handler, SystemClock());
  FlowClient first(ClientOptions(taker.address(), "first"), Security(), SystemClock());
  FlowClient second(ClientOptions(taker.address(), "second"), Security(), SystemClock());
  first.Start();
  EagerSender eager_first(first, 1);
  ASSERT_TRUE(handler.WaitForBatches(32));
  second.Start();
  EagerSender eager_second(second, 1);
  ASSERT_TRUE(Eventually([&] { return IsFull(first) && IsFull(second); }));
  EXPECT_GE(second.state().unacked_batches, 16);
  EXPECT_LE(first.state().unacked_batches + second.state().unacked_batches, 64);
  EXPECT_TRUE(Eventually([&] {
    return static_cast<uint64_t>(taker.server().state().unfinished_batches) ==
           first.state().unacked_batches + second.state().unacked_batches;
  }));
}

TEST(FlowContract, IdleStreamsStarveNobody) {
  ScriptedHandler handler(Script::kAccept);
  LoopbackTaker taker(handler, SystemClock());
  std::vector<std::unique_ptr<RawSender>> idle;
  for (int i = 0; i < 40; ++i) {
    idle.push_back(std::make_unique<RawSender>(taker.address()));
    ASSERT_TRUE(idle.back()->SendHello("idle" + std::to_string(i)));
    ASSERT_TRUE(idle.back()->ReadUntil(FlowResponse::kCredit).has_value());
  }
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  client.Start();
  EndedBatches ended;
  for (uint64_t seq_no = 0; seq_no < 100; ++seq_no) {
    ASSERT_OK(client.Send(MakeBatch(seq_no, 1), ended.Expect(seq_no)));
  }
  EXPECT_TRUE(ended.WaitFor(100));
}

TEST(FlowContract, AClosedTakerGrantsNothingUntilItOpensAgain) {
  ScriptedHandler handler(Script::kAccept);
  LoopbackTaker taker(handler, SystemClock());
  taker.server().SetOpen(false);
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  client.Start();
  ASSERT_TRUE(Eventually([&] { return client.state().connected; }));
  EXPECT_EQ(taker.server().state().unused_batches, 0);
  EXPECT_EQ(client.state().credit_batches, 0);
  taker.server().SetOpen(true);
  EndedBatches ended;
  ASSERT_OK(client.Send(MakeBatch(10, 10), ended.Expect(10)));
  EXPECT_TRUE(ended.WaitFor(1));
}

// The ack says that batch 1 has ended, with its ten events.
void ExpectOneEnded(const telemetry::v1::Ack& ack) {
  ASSERT_EQ(ack.ended_size(), 1);
  EXPECT_EQ(ack.ended(0).id(), 1);
  ASSERT_EQ(ack.ended(0).counts_size(), 1);
  EXPECT_EQ(ack.ended(0).counts(0).count(), 10);
}

TEST(FlowContract, ABatchThatArrivesTwiceIsHandedOverOnce) {
  ScriptedHandler handler(Script::kHold);
  LoopbackTaker taker(handler, SystemClock());
  RawSender sender(taker.address());
  ASSERT_TRUE(sender.SendHello("raw"));
  ASSERT_TRUE(sender.ReadUntil(FlowResponse::kCredit).has_value());
  ASSERT_TRUE(sender.SendBatch(1, MakeBatch(10, 10)));
  ASSERT_TRUE(sender.SendBatch(1, MakeBatch(10, 10)));  // joins the first
  ASSERT_TRUE(sender.SendBatch(2, MakeBatch(20, 10)));
  ASSERT_TRUE(handler.WaitForBatches(2));
  handler.Finish(10, Accepted(10));
  auto response = sender.ReadUntil(FlowResponse::kAck);
  ASSERT_TRUE(response.has_value());
  ExpectOneEnded(response->ack());
  ASSERT_TRUE(sender.SendBatch(1, MakeBatch(10, 10)));  // has ended: answered from memory
  response = sender.ReadUntil(FlowResponse::kAck);
  ASSERT_TRUE(response.has_value());
  ExpectOneEnded(response->ack());
  EXPECT_THAT(handler.handed_over(), ElementsAre(10, 20));
  EXPECT_EQ(taker.server().state().unfinished_batches, 1);
}

TEST(FlowContract, AnAckLostWithItsStreamIsToldAgainWithItsCounts) {
  ScriptedHandler handler(Script::kAccept);
  LoopbackTaker taker(handler, SystemClock());
  for (int life = 0; life < 3; ++life) {
    RawSender sender(taker.address());
    ASSERT_TRUE(
        sender.SendHello("raw", life == 0 ? std::vector<uint64_t>{} : std::vector<uint64_t>{1}));
    if (life == 0) {
      ASSERT_TRUE(sender.ReadUntil(FlowResponse::kCredit).has_value());
      ASSERT_TRUE(sender.SendBatch(1, MakeBatch(10, 10)));
    }
    const auto response = sender.ReadUntil(FlowResponse::kAck);
    ASSERT_TRUE(response.has_value());
    ExpectOneEnded(response->ack());
  }
  EXPECT_THAT(handler.handed_over(), ElementsAre(10));
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

TEST(FlowContract, ASilentTakerIsGivenUpAndAskedAgain) {
  SimulatedClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<FlowRequest> hellos;
  int heartbeats = 0;
  RawTaker silent([&](RawTaker::Stream& stream) {
    FlowRequest request;
    while (stream.Read(&request)) {
      {
        std::lock_guard<std::mutex> lock(mutex);
        if (request.has_hello()) hellos.push_back(request);
        if (request.has_heartbeat()) ++heartbeats;
        changed.notify_all();
      }
      FlowResponse response;
      if (request.has_hello()) {
        response.mutable_have();
        stream.Write(response);
        response.mutable_credit()->set_batches(8);
        response.mutable_credit()->set_bytes(8 << 20);
        stream.Write(response);
      }
    }
  });
  LoopbackServer server(silent);
  FlowClient client(ClientOptions(server.address()), Security(), clock);
  client.Start();
  ASSERT_OK(client.Send(MakeBatch(10, 10), [](BatchResult) { FAIL(); }));
  const auto wait_for = [&](const std::function<bool()>& condition) {
    std::unique_lock<std::mutex> lock(mutex);
    return SystemClock().WaitFor(lock, changed, kTestPatience, condition);
  };
  ASSERT_TRUE(wait_for([&] { return hellos.size() == 1; }));
  ASSERT_TRUE(AdvanceUntil(clock, [&] {
    std::lock_guard<std::mutex> lock(mutex);
    return heartbeats >= 2;
  })) << "a quiet sender shows that it lives";
  EXPECT_TRUE(client.state().connected);
  ASSERT_TRUE(AdvanceUntil(clock, [&] { return !client.state().connected; }));
  EXPECT_EQ(client.state().error, "silent for 45s");
  ASSERT_TRUE(Eventually([&] {
    clock.Advance(absl::Milliseconds(1));
    std::lock_guard<std::mutex> lock(mutex);
    return hellos.size() == 2;
  }));
  EXPECT_THAT(hellos[1].hello().unacked(), ElementsAre(1));
}

TEST(FlowContract, ASilentSenderIsGivenUp) {
  SimulatedClock clock;
  ScriptedHandler handler(Script::kAccept);
  LoopbackTaker taker(handler, clock);
  RawSender sender(taker.address());
  ASSERT_TRUE(sender.SendHello("raw"));
  ASSERT_TRUE(sender.ReadUntil(FlowResponse::kCredit).has_value());
  ASSERT_TRUE(AdvanceUntil(clock, [&] { return taker.server().state().streams == 0; }));
  EXPECT_GT(clock.Monotonic(), absl::Seconds(44));
  ASSERT_TRUE(sender.ReadUntil(FlowResponse::kHeartbeat).has_value());
  EXPECT_THAT(sender.Finish(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(taker.server().state().unused_batches, 0);
}

TEST(FlowContract, ATakerThatDrainsFinishesItsWorkAndItsSuccessorGetsTheRest) {
  SimulatedClock clock;
  ScriptedHandler first(Script::kHold);
  auto taker = std::make_unique<LoopbackTaker>(first, clock);
  const int port = taker->port();
  FlowClient client(ClientOptions(taker->address()), Security(), clock);
  client.Start();
  EndedBatches ended;
  for (uint64_t seq_no : {10, 20}) {
    ASSERT_OK(client.Send(MakeBatch(seq_no, 10), ended.Expect(seq_no)));
  }
  ASSERT_TRUE(first.WaitForBatches(2));
  std::thread stop([&] { taker->server().Shutdown(absl::Seconds(20)); });
  first.Finish(10, Accepted(10));
  first.Finish(20, Accepted(10));
  stop.join();
  ASSERT_TRUE(ended.WaitFor(2));
  EXPECT_EQ(taker->server().state().streams, 0);
  taker.reset();

  ScriptedHandler second(Script::kAccept);
  taker = std::make_unique<LoopbackTaker>(second, clock, port);
  std::thread send([&] { EXPECT_OK(client.Send(MakeBatch(30, 10), ended.Expect(30))); });
  EXPECT_TRUE(AdvanceUntil(clock, [&] { return ended.WaitFor(3, absl::Milliseconds(20)); }));
  send.join();
  EXPECT_THAT(second.handed_over(), ElementsAre(30));
}

TEST(FlowContract, ATakerThatDrainsGivesUpAtItsDeadline) {
  SimulatedClock clock;
  ScriptedHandler handler(Script::kHold);
  LoopbackTaker taker(handler, clock);
  FlowClient client(ClientOptions(taker.address()), Security(), clock);
  client.Start();
  ASSERT_OK(client.Send(MakeBatch(10, 10), [](BatchResult) { FAIL(); }));
  ASSERT_TRUE(handler.WaitForBatches(1));
  std::atomic<bool> stopped{false};
  std::thread stop([&] {
    taker.server().Shutdown(absl::Seconds(20));
    stopped = true;
  });
  ASSERT_TRUE(AdvanceUntil(clock, [&] {
    std::this_thread::yield();
    return stopped.load();
  }));
  stop.join();
  EXPECT_EQ(client.state().unacked_batches, 1) << "kept for the successor";
  handler.Finish(10, Accepted(10));  // late, and harmless
}

TEST(FlowContract, ASenderThatStopsWaitsForItsAcks) {
  ScriptedHandler handler(Script::kHold);
  LoopbackTaker taker(handler, SystemClock());
  FlowClient client(ClientOptions(taker.address()), Security(), SystemClock());
  client.Start();
  EndedBatches ended;
  ASSERT_OK(client.Send(MakeBatch(10, 10), ended.Expect(10)));
  ASSERT_TRUE(handler.WaitForBatches(1));
  std::thread stop([&] { client.Shutdown(kTestPatience); });
  // Send is refused from the moment Shutdown begins; what was taken before still counts.
  while (client.Send(MakeBatch(20, 10), [](BatchResult) {}).ok()) {
  }
  handler.Release();
  stop.join();
  EXPECT_OK(ended.status(10));
  EXPECT_THAT(client.Send(MakeBatch(30, 10), nullptr), StatusIs(absl::StatusCode::kCancelled));
  client.Shutdown(absl::ZeroDuration());
}

TEST(FlowContract, ShutdownWithoutStartOrWithoutATakerReturns) {
  FlowClient unstarted(ClientOptions("127.0.0.1:1"), Security(), SystemClock());
  unstarted.Shutdown(kTestPatience);
  FlowClient alone(ClientOptions("127.0.0.1:1"), Security(), SystemClock());
  alone.Start();
  ASSERT_TRUE(Eventually([&] { return alone.state().reconnects > 0; }));
  EXPECT_FALSE(alone.state().connected);
  EXPECT_THAT(alone.state().error, HasSubstr("UNAVAILABLE"));
  alone.Shutdown(absl::ZeroDuration());
}

// Accepts from its own threads, in random order: what a busy stage looks like from outside.
TEST(FlowContract, KillsOfTheTakerLoseNothingAndEndNothingTwice) {
  const unsigned seed = testing::UnitTest::GetInstance()->random_seed();
  std::mt19937 random(seed);
  RecordProperty("seed", static_cast<int>(seed));
  constexpr uint64_t kBatches = 600;
  constexpr int kKills = 12;
  auto handler = std::make_unique<ScriptedHandler>(Script::kAccept);
  auto taker = std::make_unique<LoopbackTaker>(*handler, SystemClock());
  const int port = taker->port();
  FlowClient a(ClientOptions(taker->address(), "a"), Security(), SystemClock());
  FlowClient b(ClientOptions(taker->address(), "b"), Security(), SystemClock());
  EndedBatches ended;
  std::vector<std::thread> senders;
  for (auto [client, base] : {std::pair<FlowClient*, uint64_t>{&a, 0}, {&b, kBatches}}) {
    client->Start();
    senders.emplace_back([&ended, client = client, base = base] {
      for (uint64_t i = base; i < base + kBatches; ++i) {
        ASSERT_OK(client->Send(MakeBatch(i, 5), ended.Expect(i)));
      }
    });
  }
  std::set<uint64_t> arrived;
  for (int kill = 0; kill < kKills; ++kill) {
    handler->WaitForBatches(1 + random() % 50, absl::Seconds(5));
    taker.reset();
    for (const uint64_t name : handler->handed_over()) arrived.insert(name);
    handler = std::make_unique<ScriptedHandler>(Script::kAccept);
    taker = std::make_unique<LoopbackTaker>(*handler, SystemClock(), port);
  }
  for (std::thread& sender : senders) sender.join();
  ASSERT_TRUE(ended.WaitFor(2 * kBatches)) << "seed " << seed;
  for (const uint64_t name : handler->handed_over()) arrived.insert(name);
  std::vector<uint64_t> all(2 * kBatches);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_THAT(ended.order(), UnorderedElementsAreArray(all)) << "seed " << seed;
  EXPECT_EQ(ended.accepted(), 2 * kBatches * 5) << "seed " << seed;
  EXPECT_EQ(arrived.size(), 2 * kBatches) << "seed " << seed;
}

}  // namespace
}  // namespace nightjar::rpc
