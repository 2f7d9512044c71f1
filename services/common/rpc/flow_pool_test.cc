// A sender towards several takers, over loopback.
#include "services/common/rpc/flow_pool.h"

#include <atomic>
#include <memory>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/flow_server.h"
#include "services/common/rpc/flow_testing.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::rpc {
namespace {

using Script = ScriptedHandler::Script;

class FlowPoolTest : public testing::Test {
 protected:
  FlowPoolTest() {
    options_.source = "reader";
    options_.streams.reconnect_min = absl::Milliseconds(1);
    options_.streams.reconnect_max = absl::Milliseconds(20);
  }

  // Batches called by their numbers, 1 to `count`, once all streams have credit.
  void SendAll(FlowPool& pool, uint64_t count) {
    EXPECT_TRUE(Eventually([&] { return pool.state().credit_batches >= 80; }));
    for (uint64_t i = 1; i <= count; ++i) {
      ASSERT_OK(pool.Send(MakeBatch(i, 1), ended_.Expect(i)));
    }
  }

  // How often each of the two takers was given a batch.
  std::multiset<uint64_t> HandedOver() const {
    std::multiset<uint64_t> all;
    for (const ScriptedHandler* handler : {&first_, &second_}) {
      for (const uint64_t name : handler->handed_over()) all.insert(name);
    }
    return all;
  }

  ScriptedHandler first_{Script::kHold};
  ScriptedHandler second_{Script::kHold};
  EndedBatches ended_;
  FlowPoolOptions options_;
};

TEST_F(FlowPoolTest, EveryTakerGetsAShare) {
  LoopbackTaker first(first_, SystemClock());
  LoopbackTaker second(second_, SystemClock());
  options_.addresses = {first.address(), second.address()};
  FlowPool pool(options_, Security(), SystemClock());
  pool.Start();
  // What is held keeps its credit, so the one with more is the other.
  SendAll(pool, 60);
  EXPECT_TRUE(Eventually([&] { return HandedOver().size() == 60; }));
  EXPECT_GE(first_.handed_over().size(), 20u);
  EXPECT_GE(second_.handed_over().size(), 20u);
  first_.Release();
  second_.Release();
  EXPECT_TRUE(ended_.WaitFor(60));
  pool.Shutdown(kTestPatience);
  EXPECT_EQ(pool.state().resent_batches, 0u);
}

TEST_F(FlowPoolTest, WhatATakerHadWhenItDiedGoesToTheOtherAndNothingElse) {
  auto first = std::make_unique<LoopbackTaker>(first_, SystemClock());
  LoopbackTaker second(second_, SystemClock());
  options_.addresses = {first->address(), second.address()};
  FlowPool pool(options_, Security(), SystemClock());
  pool.Start();
  SendAll(pool, 40);
  EXPECT_TRUE(Eventually([&] { return HandedOver().size() == 40; }));
  const size_t of_the_first = first_.handed_over().size();
  ASSERT_GT(of_the_first, 0u);
  first.reset();
  second_.Release();
  EXPECT_TRUE(ended_.WaitFor(40));
  EXPECT_EQ(second_.handed_over().size(), 40u);
  EXPECT_EQ(pool.state().resent_batches, of_the_first);
  EXPECT_TRUE(pool.state().connected);
}

TEST_F(FlowPoolTest, SendWaitsWhileNoTakerHasCredit) {
  LoopbackTaker only(first_, SystemClock());
  options_.addresses = {only.address()};
  FlowPool pool(options_, Security(), SystemClock());
  pool.Start();
  std::atomic<uint64_t> sent{0};
  absl::Status last;
  std::thread sender([&] {
    while (last.ok()) {
      last = pool.Send(MakeBatch(sent + 1, 1), [](BatchResult) {});
      if (last.ok()) ++sent;
    }
  });
  EXPECT_TRUE(Eventually([&] { return pool.state().credit_batches == 0 && sent > 40; }));
  EXPECT_LE(sent,
            FlowServerOptions().credit_batches);  // of the whole process, whatever the streams
  pool.Shutdown(absl::ZeroDuration());
  sender.join();
  EXPECT_THAT(last, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(FlowPoolTest, StreamsMoveOnUnderLoadWithoutRepeatingAnything) {
  LoopbackTaker first(first_, SystemClock());
  LoopbackTaker second(second_, SystemClock());
  first_.Release();
  second_.Release();
  options_.addresses = {first.address(), second.address()};
  options_.rotation.settle_min = options_.rotation.life_min = absl::Milliseconds(5);
  options_.rotation.settle_max = options_.rotation.life_max = absl::Milliseconds(10);
  FlowPool pool(options_, Security(), SystemClock());
  pool.Start();
  uint64_t sent = 0;
  EXPECT_TRUE(Eventually([&] {
    ++sent;
    EXPECT_OK(pool.Send(MakeBatch(sent, 1), ended_.Expect(sent)));
    return pool.state().reconnects >= 20;
  }));
  EXPECT_TRUE(ended_.WaitFor(sent));
  pool.Shutdown(kTestPatience);
  EXPECT_EQ(pool.state().resent_batches, 0u);
  const std::multiset<uint64_t> all = HandedOver();
  EXPECT_EQ(all.size(), sent);
  EXPECT_EQ(std::set<uint64_t>(all.begin(), all.end()).size(), sent);
}

// As a headless service gives them: whichever taker is there first gets every stream, for a moment.
TEST_F(FlowPoolTest, TakersBehindOneNameAllGetAShare) {
  LoopbackTaker first(first_, SystemClock());
  LoopbackTaker second(second_, SystemClock());
  first_.Release();
  second_.Release();
  options_.addresses = {absl::StrCat("ipv4:", first.address(), ",", second.address())};
  options_.rotation.settle_min = absl::Milliseconds(10);
  options_.rotation.settle_max = absl::Milliseconds(20);
  FlowPool pool(options_, Security(), SystemClock());
  pool.Start();
  uint64_t sent = 0;
  EXPECT_TRUE(Eventually([&] {
    ++sent;
    EXPECT_OK(pool.Send(MakeBatch(sent, 1), ended_.Expect(sent)));
    return !first_.handed_over().empty() && !second_.handed_over().empty();
  }));
  EXPECT_TRUE(ended_.WaitFor(sent));
  EXPECT_EQ(pool.state().resent_batches, 0u);
  EXPECT_EQ(HandedOver().size(), sent);
}

TEST_F(FlowPoolTest, ADurableReachesOneTaker) {
  LoopbackTaker first(first_, SystemClock());
  LoopbackTaker second(second_, SystemClock());
  options_.addresses = {first.address(), second.address()};
  FlowPool pool(options_, Security(), SystemClock());
  pool.Start();
  EXPECT_TRUE(Eventually([&] { return pool.state().connected; }));
  telemetry::v1::Durable durable;
  durable.set_epoch("epoch");
  pool.SendDurable(durable);
  EXPECT_TRUE(
      Eventually([&] { return first_.durables().size() + second_.durables().size() == 1; }));
}

TEST(RotationTimer, AStreamThatTookWhatWasThereIsLeftSoonAndTheNextOneLater) {
  const FlowRotation limits;
  RotationTimer timer(limits);
  timer.OnConnected(absl::Seconds(100));
  EXPECT_GE(timer.due(), absl::Seconds(100) + limits.settle_min);
  EXPECT_LE(timer.due(), absl::Seconds(100) + limits.settle_max);
  timer.OnDue(timer.due());
  EXPECT_TRUE(timer.retiring());
  EXPECT_TRUE(timer.OnAcked());
  EXPECT_FALSE(timer.OnAcked());
  timer.OnClosed();
  timer.OnConnected(absl::Seconds(200));
  EXPECT_GE(timer.due(), absl::Seconds(200) + limits.life_min);
  timer.OnClosed();  // it broke off
  timer.OnConnected(absl::Seconds(300));
  EXPECT_LE(timer.due(), absl::Seconds(300) + limits.settle_max);
}

TEST(RotationTimer, AStreamWhoseLastAckDoesNotComeIsKept) {
  RotationTimer timer{FlowRotation()};
  timer.OnConnected(absl::ZeroDuration());
  const absl::Duration retired = timer.due();
  timer.OnDue(retired);
  EXPECT_EQ(timer.due(), retired + RotationTimer::kRetireMax);
  timer.OnDue(timer.due());
  EXPECT_FALSE(timer.retiring());
  EXPECT_FALSE(timer.OnAcked());
  EXPECT_FALSE(RotationTimer(std::nullopt).retiring());
}

}  // namespace
}  // namespace nightjar::rpc
