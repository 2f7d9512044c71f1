#include "services/es_reader/elastic/node_pool.h"

#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"

namespace nightjar::es_reader {
namespace {

TEST(NodePoolTest, NodesTakeTurns) {
  SimulatedClock clock;
  NodePool pool({"a", "b", "c"}, clock);
  for (const char* host : {"a", "b", "c", "a", "b"}) EXPECT_EQ(pool.host(pool.Next()), host);
}

TEST(NodePoolTest, AFailedNodeIsLeftAloneForLongerEachTime) {
  SimulatedClock clock;
  NodePool pool({"a", "b"}, clock);
  for (int seconds : {1, 2, 4, 8, 16, 30, 30}) {
    pool.Failed(0);
    clock.Advance(absl::Seconds(seconds) - absl::Milliseconds(1));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pool.Next(), 1u) << seconds;
    clock.Advance(absl::Milliseconds(1));
    EXPECT_EQ(pool.Next(), 0u) << seconds;
  }
  pool.Succeeded(0);
  pool.Failed(0);
  clock.Advance(absl::Seconds(1));
  pool.Next();
  EXPECT_EQ(pool.Next(), 0u) << "a success makes the first wait short again";
}

TEST(NodePoolTest, WhenAllAreDeadTheFirstToReturnIsAsked) {
  SimulatedClock clock;
  NodePool pool({"a", "b", "c"}, clock);
  for (size_t node : {0, 0, 1, 2, 2, 2}) pool.Failed(node);
  EXPECT_EQ(pool.Next(), 1u);
  EXPECT_EQ(pool.Next(), 1u);
}

TEST(NodePoolTest, ASingleNodeIsAlwaysAsked) {
  SimulatedClock clock;
  NodePool pool({"a"}, clock);
  pool.Failed(0);
  EXPECT_EQ(pool.Next(), 0u);
}

}  // namespace
}  // namespace nightjar::es_reader
