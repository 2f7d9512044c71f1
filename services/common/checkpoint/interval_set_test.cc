#include "services/common/checkpoint/interval_set.h"

#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::checkpoint {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::vector<std::pair<int64_t, int64_t>> List(const IntervalSet& set) {
  return {set.begin(), set.end()};
}

TEST(IntervalSetTest, NothingIsCoveredAtFirstButTheEmptyInterval) {
  IntervalSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.Count(), 0u);
  EXPECT_FALSE(set.Contains(0));
  EXPECT_FALSE(set.Covers(0, 1));
  EXPECT_TRUE(set.Covers(5, 5));
}

TEST(IntervalSetTest, ConsecutiveNumbersAreOneInterval) {
  IntervalSet set;
  for (int64_t n = 0; n < 100000; ++n) set.Add(n);
  EXPECT_THAT(List(set), ElementsAre(Pair(-1, 99999)));
  EXPECT_EQ(set.Count(), 100000u);
}

TEST(IntervalSetTest, WindowsThatTouchAreMergedAndHolesStay) {
  IntervalSet set;
  set.Add(10, 20);
  set.Add(30, 40);
  set.Add(5, 10);
  EXPECT_THAT(List(set), ElementsAre(Pair(5, 20), Pair(30, 40)));
  EXPECT_FALSE(set.Contains(5));
  EXPECT_TRUE(set.Contains(6));
  EXPECT_TRUE(set.Contains(20));
  EXPECT_FALSE(set.Contains(21));
  EXPECT_TRUE(set.Covers(6, 20));
  EXPECT_FALSE(set.Covers(6, 31));
  set.Add(20, 30);
  EXPECT_THAT(List(set), ElementsAre(Pair(5, 40)));
}

TEST(IntervalSetTest, AnEmptyIntervalChangesNothing) {
  IntervalSet set;
  set.Add(7, 7);
  set.Add(9, 2);
  EXPECT_THAT(List(set), IsEmpty());
  set.Add(0, 10);
  set.Subtract(5, 5);
  EXPECT_THAT(List(set), ElementsAre(Pair(0, 10)));
}

TEST(IntervalSetTest, SubtractSplitsAnInterval) {
  IntervalSet set;
  set.Add(0, 10);
  set.Subtract(3, 4);
  EXPECT_THAT(List(set), ElementsAre(Pair(0, 3), Pair(4, 10)));
  EXPECT_EQ(set.Count(), 9u);
  EXPECT_FALSE(set.Contains(4));
}

TEST(IntervalSetTest, RemoveUpToForgetsWhatIsDurable) {
  IntervalSet set;
  set.Add(0, 10);
  set.Add(20, 30);
  set.RemoveUpTo(-5);
  EXPECT_EQ(set.Count(), 20u);
  set.RemoveUpTo(25);
  EXPECT_THAT(List(set), ElementsAre(Pair(25, 30)));
  set.RemoveUpTo(std::numeric_limits<int64_t>::max());
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.Count(), 0u);
}

TEST(IntervalSetTest, TheWholeRangeOfNumbersCanBeHeld) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  IntervalSet set;
  set.Add(kMin, kMax);
  EXPECT_EQ(set.Count(), std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(set.Contains(kMax));
  set.Subtract(-1, 0);
  EXPECT_THAT(List(set), ElementsAre(Pair(kMin, -1), Pair(0, kMax)));
}

// The model is a plain set of numbers.
TEST(IntervalSetTest, AgreesWithAPlainSetOverRandomOperations) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    auto draw = [&](int bound) { return static_cast<int64_t>(random() % bound); };
    IntervalSet set;
    std::set<int64_t> model;
    for (int step = 0; step < 100; ++step) {
      const int64_t from = draw(60) - 5, to = from + draw(12) - 1;
      switch (draw(5)) {
        case 0:
          set.Subtract(from, to);
          for (int64_t n = from + 1; n <= to; ++n) model.erase(n);
          break;
        case 1:
          if (draw(8) != 0) break;
          set.RemoveUpTo(from);
          model.erase(model.begin(), model.upper_bound(from));
          break;
        default:
          set.Add(from, to);
          for (int64_t n = from + 1; n <= to; ++n) model.insert(n);
      }
      ASSERT_EQ(set.Count(), model.size());
      for (int64_t n = -8; n < 72; ++n) ASSERT_EQ(set.Contains(n), model.count(n) == 1) << n;
      int64_t last = std::numeric_limits<int64_t>::min();
      for (const auto& [first, end] : set) {
        ASSERT_LT(last, first) << "touching intervals are not merged";
        ASSERT_LT(first, end);
        last = end;
      }
    }
  }
}

}  // namespace
}  // namespace nightjar::checkpoint
