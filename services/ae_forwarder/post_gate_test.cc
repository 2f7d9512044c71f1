#include "services/ae_forwarder/post_gate.h"

#include <atomic>
#include <thread>

#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"

namespace nightjar::ae_forwarder {
namespace {

class PostGateTest : public testing::Test {
 protected:
  ~PostGateTest() override {
    gate_.Cancel();
    for (std::thread& thread : threads_) thread.join();
  }

  // A poster that asks to get through.
  void EnterInThread() {
    threads_.emplace_back([this] {
      if (gate_.Enter().has_value()) ++entered_;
    });
  }
  void AwaitWaiting(int threads) {
    while (clock_.waiting() != threads) std::this_thread::yield();
  }
  void AwaitEntered(int threads) {
    while (entered_ != threads) std::this_thread::yield();
  }

  SimulatedClock clock_;
  PostGate gate_{clock_, {}};
  std::atomic<int> entered_{0};
  std::vector<std::thread> threads_;
};

TEST_F(PostGateTest, IsOpenAsLongAsNothingFails) {
  for (int i = 0; i < 3; ++i) gate_.Succeeded(*gate_.Enter());
  EXPECT_TRUE(gate_.Enter().has_value());
}

TEST_F(PostGateTest, AfterRetryAfterOneProbeGoesAndItsSuccessLetsTheOthersThrough) {
  gate_.Failed(*gate_.Enter(), absl::Seconds(7));
  for (int i = 0; i < 4; ++i) EnterInThread();
  AwaitWaiting(4);
  clock_.Advance(absl::Milliseconds(6999));
  EXPECT_EQ(entered_, 0);
  clock_.Advance(absl::Seconds(1));  // Retry-After and its jitter
  AwaitEntered(1);
  AwaitWaiting(3);
  EXPECT_EQ(entered_, 1);
  gate_.Succeeded(1);  // one failure so far: the probe's ticket
  AwaitEntered(4);
}

TEST_F(PostGateTest, RequestsThatFailTogetherCountOnce) {
  const auto first = *gate_.Enter(), second = *gate_.Enter();
  EXPECT_EQ(gate_.Failed(first, absl::Seconds(1)), 1);
  EXPECT_EQ(gate_.Failed(second, absl::Seconds(1)), 1);
}

TEST_F(PostGateTest, ASuccessFromBeforeTheFailureDoesNotOpenIt) {
  const auto first = *gate_.Enter(), second = *gate_.Enter();
  gate_.Failed(first, absl::Seconds(7));
  gate_.Succeeded(second);
  EnterInThread();
  AwaitWaiting(1);
  EXPECT_EQ(entered_, 0);
}

TEST_F(PostGateTest, ReopeningSendsAProbeAtOnce) {
  gate_.Failed(*gate_.Enter(), absl::Minutes(5));
  EnterInThread();
  AwaitWaiting(1);
  gate_.Reopen();
  AwaitEntered(1);
}

TEST_F(PostGateTest, CancelEndsWaitsForGood) {
  gate_.Failed(*gate_.Enter(), absl::Minutes(5));
  gate_.Cancel();
  EXPECT_FALSE(gate_.Enter().has_value());
  EXPECT_FALSE(gate_.Wait(absl::Hours(1)));
}

}  // namespace
}  // namespace nightjar::ae_forwarder
