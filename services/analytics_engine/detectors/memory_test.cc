#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "services/analytics_engine/detectors/lru_map.h"
#include "services/analytics_engine/detectors/recent_set.h"
#include "services/analytics_engine/detectors/sliding_sum.h"

namespace nightjar::analytics_engine {
namespace {

constexpr int64_t kNow = 1'764'000'000;  // seconds

TEST(LruMapTest, ForgetsWhatWasNotUsedForLongest) {
  LruMap<int, std::string> map(3);
  map.Get(1) = "one";
  map.Get(2) = "two";
  map.Get(3) = "three";
  map.Get(1);
  map.Get(4) = "four";
  EXPECT_EQ(map.Find(2), nullptr);
  EXPECT_EQ(*map.Find(1), "one");
  EXPECT_EQ(map.size(), 3);
  EXPECT_EQ(map.evictions(), 1);
}

TEST(LruMapTest, MakesValuesFromArgumentsOnlyOnce) {
  LruMap<int, std::string> map(3);
  EXPECT_EQ(map.Get(1, "first"), "first");
  EXPECT_EQ(map.Get(1, "second"), "first");
}

TEST(LruMapTest, KeepsEvidenceWhileOthersCanGo) {
  LruMap<int, int> map(4);
  map.Get(1);
  map.HoldEvidence(1);
  map.HoldEvidence(1);
  for (int i = 2; i < 100; ++i) map.Get(i);
  EXPECT_NE(map.Find(1), nullptr);
  EXPECT_EQ(map.size(), 4);
}

TEST(LruMapTest, EvidenceTakesHalfOfThePlacesAtMostForLong) {
  LruMap<int, int> map(4);
  for (int i = 0; i < 100; ++i) {
    map.Get(i);
    map.HoldEvidence(i);
  }
  map.Get(100);
  map.Get(101);
  EXPECT_EQ(map.size(), 4);
  EXPECT_NE(map.Find(100), nullptr);
  EXPECT_NE(map.Find(101), nullptr);
  EXPECT_NE(map.Find(99), nullptr);
  EXPECT_EQ(map.Find(97), nullptr);
}

TEST(RecentSetTest, KnowsWhatItSawAndNothingElse) {
  SlotBudget budget{1 << 20};
  RecentSet set(budget);
  for (uint64_t i = 0; i < 1000; ++i) EXPECT_TRUE(set.Insert(i * 7919, kNow)) << i;
  for (uint64_t i = 0; i < 1000; ++i) EXPECT_FALSE(set.Insert(i * 7919, kNow + 60)) << i;
}

TEST(RecentSetTest, RemembersForOneToTwoLifetimes) {
  SlotBudget budget{1 << 20};
  RecentSet set(budget);
  constexpr int64_t kLife = RecentSet::kGenerationSeconds;
  EXPECT_TRUE(set.Insert(1, kNow));
  EXPECT_FALSE(set.Insert(1, kNow + kLife + 1));
  EXPECT_TRUE(set.Insert(1, kNow + 2 * kLife + 2));
}

TEST(RecentSetTest, ForgetsTheOldestWhenFullAndGivesTheMemoryBack) {
  SlotBudget budget{1 << 20};
  {
    RecentSet set(budget);
    for (uint64_t i = 1; i <= 100'000; ++i) set.Insert(i, kNow);
    EXPECT_LE(budget.slots, 2 * RecentSet::kSlotsMax);
    EXPECT_FALSE(set.Insert(99'999, kNow));
    EXPECT_TRUE(set.Insert(1, kNow));
  }
  EXPECT_EQ(budget.slots, 0);
}

TEST(RecentSetTest, StaysWithinTheBudgetOfAll) {
  SlotBudget budget{64};
  RecentSet first(budget), second(budget), third(budget);
  for (uint64_t i = 1; i <= 1000; ++i) {
    first.Insert(i, kNow);
    second.Insert(i, kNow);
    EXPECT_LE(budget.slots, 64);
  }
  for (uint64_t i = 1; i <= 1000; ++i) third.Insert(i, kNow);
  EXPECT_LE(budget.slots, 64);
}

TEST(RecentSetTest, MovesWithItsMemory) {
  SlotBudget budget{1 << 20};
  auto set = std::make_unique<RecentSet>(budget);
  set->Insert(5, kNow);
  RecentSet moved(std::move(*set));
  set.reset();
  EXPECT_FALSE(moved.Insert(5, kNow));
  moved = RecentSet(budget);
  EXPECT_EQ(budget.slots, 0);
}

TEST(SlidingSumTest, SumsWhatIsWithinTheWindow) {
  SlidingSum<6, 600> hour;
  hour.Add(kNow, 10);
  hour.Add(kNow + 1800, 5);
  EXPECT_EQ(hour.total(), 15);
  hour.Add(kNow + 3600, 1);
  EXPECT_EQ(hour.total(), 6);
  hour.Add(kNow + 100 * 3600, 2);
  EXPECT_EQ(hour.total(), 2);
}

TEST(SlidingSumTest, TakesLateOnesInAndLeavesTooOldOnesOut) {
  SlidingSum<6, 600> hour;
  hour.Add(kNow, 10);
  hour.Add(kNow - 1200, 5);
  EXPECT_EQ(hour.total(), 15);
  hour.Add(kNow - 7200, 100);
  EXPECT_EQ(hour.total(), 15);
}

}  // namespace
}  // namespace nightjar::analytics_engine
