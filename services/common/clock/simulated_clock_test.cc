#include "services/common/clock/simulated_clock.h"

#include <atomic>
#include <thread>

#include "gtest/gtest.h"

namespace nightjar {
namespace {

TEST(SimulatedClock, AdvanceWakesAWaiterWhoseTimeHasCome) {
  SimulatedClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<bool> result{true};
  std::thread waiter([&] {
    std::unique_lock<std::mutex> lock(mutex);
    result = clock.WaitFor(lock, changed, absl::Seconds(30), [] { return false; });
  });
  while (clock.waiting() == 0) std::this_thread::yield();
  clock.Advance(absl::Seconds(30));
  waiter.join();
  EXPECT_FALSE(result);
}

TEST(SimulatedClock, AWallJumpLeavesTheMonotonicClockAlone) {
  SimulatedClock clock(absl::FromUnixSeconds(1000));
  clock.JumpWall(-absl::Seconds(400));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(600));
  EXPECT_EQ(clock.Monotonic(), absl::ZeroDuration());
}

}  // namespace
}  // namespace nightjar
