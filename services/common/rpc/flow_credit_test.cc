// No more is under way between the ends of Telemetry/Flow than the taker granted, and everybody
// gets something.
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/rpc/flow_client.h"
#include "services/common/rpc/flow_server.h"
#include "services/common/rpc/flow_testing.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::rpc {
namespace {

using telemetry::v1::FlowResponse;
using Script = ScriptedHandler::Script;

TEST(FlowCredit, ABatchOfOneLargeEventGoesThroughOverItsCredit) {
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

TEST(FlowCredit, WorkOfASenderThatWentAwayKeepsItsCredit) {
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

TEST(FlowCredit, AHandlerThatNeverFinishesHoldsNoMoreThanWasGranted) {
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

TEST(FlowCredit, BytesAreHeldToTheirCreditLikeBatches) {
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

TEST(FlowCredit, TwoSendersShareTheCreditAndANewcomerFindsSome) {
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

TEST(FlowCredit, IdleStreamsStarveNobody) {
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

TEST(FlowCredit, AClosedTakerGrantsNothingUntilItOpensAgain) {
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

}  // namespace
}  // namespace nightjar::rpc
