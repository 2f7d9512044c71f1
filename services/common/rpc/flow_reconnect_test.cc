// Streams of Telemetry/Flow that break, or fall silent: nothing is lost, and nothing is worked on
// twice by a taker that lives.
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <thread>
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
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;
using Script = ScriptedHandler::Script;

TEST(FlowReconnect, AKilledTakerGetsWhatWasNotAckedAgain) {
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

TEST(FlowReconnect, AReconnectSendsAgainOnlyWhatTheTakerLacks) {
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

// The ack says that batch 1 has ended, with its ten events.
void ExpectOneEnded(const telemetry::v1::Ack& ack) {
  ASSERT_EQ(ack.ended_size(), 1);
  EXPECT_EQ(ack.ended(0).id(), 1);
  ASSERT_EQ(ack.ended(0).counts_size(), 1);
  EXPECT_EQ(ack.ended(0).counts(0).count(), 10);
}

TEST(FlowReconnect, ABatchThatArrivesTwiceIsHandedOverOnce) {
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

TEST(FlowReconnect, AnAckLostWithItsStreamIsToldAgainWithItsCounts) {
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

TEST(FlowReconnect, ASilentTakerIsGivenUpAndAskedAgain) {
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

TEST(FlowReconnect, ASilentSenderIsGivenUp) {
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

// Two senders that never pause, and a taker that dies at random moments.
TEST(FlowReconnect, KillsOfTheTakerLoseNothingAndEndNothingTwice) {
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
