// Either end of Telemetry/Flow stops: work finishes within the deadline, the rest is kept for the
// successor.
#include <atomic>
#include <memory>
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

using testing::ElementsAre;
using testing::HasSubstr;
using Script = ScriptedHandler::Script;

TEST(FlowShutdown, ATakerThatDrainsFinishesItsWorkAndItsSuccessorGetsTheRest) {
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

TEST(FlowShutdown, ATakerThatDrainsGivesUpAtItsDeadline) {
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

TEST(FlowShutdown, ASenderThatStopsWaitsForItsAcks) {
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

TEST(FlowShutdown, ShutdownWithoutStartOrWithoutATakerReturns) {
  FlowClient unstarted(ClientOptions("127.0.0.1:1"), Security(), SystemClock());
  unstarted.Shutdown(kTestPatience);
  FlowClient alone(ClientOptions("127.0.0.1:1"), Security(), SystemClock());
  alone.Start();
  ASSERT_TRUE(Eventually([&] { return alone.state().reconnects > 0; }));
  EXPECT_FALSE(alone.state().connected);
  EXPECT_THAT(alone.state().error, HasSubstr("UNAVAILABLE"));
  alone.Shutdown(absl::ZeroDuration());
}

}  // namespace
}  // namespace nightjar::rpc
