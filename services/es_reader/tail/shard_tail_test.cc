#include "services/es_reader/tail/shard_tail.h"

#include <numeric>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::es_reader {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

absl::Duration At(int seconds) { return absl::Seconds(100 + seconds); }

// (from, to] as a list.
std::vector<int64_t> Numbers(int64_t from, int64_t to) {
  std::vector<int64_t> numbers(to - from);
  std::iota(numbers.begin(), numbers.end(), from + 1);
  return numbers;
}

void Poll(ShardTail& tail, int64_t global_checkpoint, int64_t refreshes, absl::Duration now,
          const std::string& node = "node") {
  tail.BeginPoll();
  tail.Observe({node, global_checkpoint, refreshes}, now);
}

Fetch Next(ShardTail& tail, absl::Duration now) {
  const std::optional<Fetch> fetch = tail.NextFetch(now);
  EXPECT_TRUE(fetch.has_value());
  return fetch.value_or(Fetch{});
}

TEST(ShardTailTest, AnEmptyShardHasNothingToAskFor) {
  ShardTail tail({}, {});
  EXPECT_FALSE(tail.HasFetch(At(0)));
  Poll(tail, -1, 1, At(0));
  EXPECT_FALSE(tail.NextFetch(At(0)).has_value());
  EXPECT_TRUE(tail.idle());
}

TEST(ShardTailTest, WindowsGoUpToTheCheckpointAndNoFurther) {
  ShardTail tail({}, {});
  Poll(tail, 2499, 1, At(0));
  const Fetch first = Next(tail, At(0));
  EXPECT_EQ(first.range, (Range{-1, 999}));
  EXPECT_EQ(first.size, 1000);
  EXPECT_EQ(first.node, "node");
  EXPECT_THAT(first.numbers, IsEmpty());
  EXPECT_EQ(Next(tail, At(0)).range, (Range{999, 1999}));
  EXPECT_EQ(Next(tail, At(0)).range, (Range{1999, 2499}));
  EXPECT_FALSE(tail.HasFetch(At(0)));
}

TEST(ShardTailTest, FourSearchesOfAShardAreInFlightAtMost) {
  ShardTail tail({}, {});
  Poll(tail, 100'000, 1, At(0));
  const Fetch first = Next(tail, At(0));
  for (int i = 1; i < ShardTail::kFetchesMax; ++i) Next(tail, At(0));
  EXPECT_FALSE(tail.NextFetch(At(0)).has_value());
  tail.OnPage(first, Numbers(-1, 999));
  EXPECT_TRUE(tail.NextFetch(At(0)).has_value());
}

TEST(ShardTailTest, ADenseWindowClosesOnceItIsSealedAndItsEventsHaveEnded) {
  ShardTail tail({}, {});
  Poll(tail, 9, 1, At(0));
  const Fetch fetch = Next(tail, At(0));
  tail.OnPage(fetch, Numbers(-1, 9));
  tail.OnEventsEnded(fetch.window, 4);
  Poll(tail, 9, 1, At(1));
  EXPECT_THAT(tail.TakeClosed(), IsEmpty());
  tail.OnEventsEnded(fetch.window, 6);
  EXPECT_THAT(tail.TakeClosed(), ElementsAre(Range{-1, 9}));
  EXPECT_THAT(tail.TakeClosed(), IsEmpty());
  EXPECT_TRUE(tail.idle());
}

TEST(ShardTailTest, StatisticsAskedForBeforeThePageCameDoNotSealIt) {
  ShardTail tail({}, {});
  Poll(tail, 9, 1, At(0));
  const Fetch fetch = Next(tail, At(0));
  tail.BeginPoll();
  tail.OnPage(fetch, Numbers(-1, 9));
  tail.OnEventsEnded(fetch.window, 10);
  tail.Observe({"node", 9, 1}, At(1));
  EXPECT_THAT(tail.TakeClosed(), IsEmpty());
  Poll(tail, 9, 1, At(2));
  EXPECT_THAT(tail.TakeClosed(), ElementsAre(Range{-1, 9}));
}

TEST(ShardTailTest, MissingNumbersAreProvedEmptyOnlyOnceTwoRefreshesHaveFinished) {
  ShardTail tail({}, {});
  Poll(tail, 9, 5, At(0));
  const Fetch fetch = Next(tail, At(0));
  tail.OnPage(fetch, {0, 1, 2, 3, 4, 6, 7, 9});
  tail.OnEventsEnded(fetch.window, 8);
  EXPECT_FALSE(tail.HasFetch(At(0)));
  Poll(tail, 9, 6, At(1));
  const Fetch early = Next(tail, At(1));
  EXPECT_THAT(early.numbers, ElementsAre(5, 8));
  EXPECT_FALSE(early.proving);
  EXPECT_EQ(tail.OnPage(early, {}).proved, 0u);
  EXPECT_FALSE(tail.HasFetch(At(1)));
  Poll(tail, 9, 7, At(2));
  const Fetch again = Next(tail, At(2));
  EXPECT_EQ(again.window, fetch.window);
  EXPECT_EQ(again.range, fetch.range);
  EXPECT_THAT(again.numbers, ElementsAre(5, 8));
  EXPECT_TRUE(again.proving);
  const Holes holes = tail.OnPage(again, {8});
  EXPECT_EQ(holes.late, 1u);
  EXPECT_EQ(holes.proved, 1u);
  Poll(tail, 9, 8, At(3));
  EXPECT_THAT(tail.TakeClosed(), IsEmpty());  // number 8 has not ended
  tail.OnEventsEnded(again.window, 1);
  EXPECT_THAT(tail.TakeClosed(), ElementsAre(Range{-1, 9}));
}

TEST(ShardTailTest, OneRefreshBringsWhatItMadeVisibleAndLeavesTheRestMissing) {
  ShardTail tail({}, {});
  Poll(tail, 9, 5, At(0));
  tail.OnPage(Next(tail, At(0)), Numbers(-1, 5));
  Poll(tail, 9, 6, At(1));
  const Fetch early = Next(tail, At(1));
  EXPECT_THAT(early.numbers, ElementsAre(6, 7, 8, 9));
  const Holes holes = tail.OnPage(early, {6, 8});
  EXPECT_EQ(holes.late, 2u);
  EXPECT_EQ(holes.proved, 0u);
  tail.OnEventsEnded(early.window, 8);
  Poll(tail, 9, 6, At(2));  // nothing new can be there
  EXPECT_FALSE(tail.HasFetch(At(2)));
  EXPECT_THAT(tail.TakeClosed(), IsEmpty());
  Poll(tail, 9, 7, At(3));
  const Fetch last = Next(tail, At(3));
  EXPECT_THAT(last.numbers, ElementsAre(7, 9));
  EXPECT_EQ(tail.OnPage(last, {}).proved, 2u);
  Poll(tail, 9, 7, At(4));
  EXPECT_THAT(tail.TakeClosed(), ElementsAre(Range{-1, 9}));
}

TEST(ShardTailTest, ABacklogWithHolesIsProvedByItsFirstSearch) {
  ShardTail tail({}, {});
  Poll(tail, 9, 5, At(0));
  Poll(tail, 9, 7, At(2));
  const Fetch fetch = Next(tail, At(2));
  EXPECT_TRUE(fetch.proving);
  EXPECT_EQ(tail.OnPage(fetch, {}).proved, 10u);
  Poll(tail, 9, 7, At(3));
  EXPECT_THAT(tail.TakeClosed(), ElementsAre(Range{-1, 9}));
}

TEST(ShardTailTest, ARefreshIsForcedWhenAnIdleShardDoesNotRefreshByItself) {
  ShardTail tail({}, {});
  Poll(tail, 9, 5, At(0));
  const Fetch fetch = Next(tail, At(0));
  EXPECT_FALSE(tail.NeedsRefresh(At(0)));
  tail.OnPage(fetch, Numbers(-1, 8));
  EXPECT_FALSE(tail.NeedsRefresh(At(1)));
  EXPECT_TRUE(tail.NeedsRefresh(At(2)));
  tail.OnRefreshed(tail.primary(), At(2));
  EXPECT_FALSE(tail.NeedsRefresh(At(2)));
  const Fetch again = Next(tail, At(2));
  EXPECT_THAT(again.numbers, ElementsAre(9));
  EXPECT_EQ(tail.OnPage(again, {9}).late, 1u);
}

TEST(ShardTailTest, ALongRefreshIntervalIsWaitedForTwice) {
  ShardTailOptions options;
  options.refresh_interval = absl::Seconds(30);
  ShardTail tail(options, {});
  Poll(tail, 9, 5, At(0));
  tail.OnPage(Next(tail, At(0)), {});
  EXPECT_FALSE(tail.NeedsRefresh(At(59)));
  EXPECT_TRUE(tail.NeedsRefresh(At(60)));
}

TEST(ShardTailTest, ARefreshIsForcedAtOnceWhenRefreshIsOff) {
  ShardTailOptions options;
  options.refresh_interval = absl::Seconds(-1);
  ShardTail tail(options, {});
  Poll(tail, 9, 5, At(0));
  tail.OnPage(Next(tail, At(0)), {});
  EXPECT_TRUE(tail.NeedsRefresh(At(0)));
}

TEST(ShardTailTest, HolesAreAssumedAfterALongWaitWhenRefreshIsForbidden) {
  ShardTail tail({}, {});
  tail.SetRefreshForbidden(true);
  Poll(tail, 9, 5, At(0));
  tail.OnPage(Next(tail, At(0)), Numbers(-1, 7));
  EXPECT_FALSE(tail.NeedsRefresh(At(29)));
  EXPECT_FALSE(tail.HasFetch(At(29)));
  const Fetch again = Next(tail, At(30));
  EXPECT_TRUE(again.assuming);
  EXPECT_FALSE(again.proving);
  EXPECT_THAT(again.numbers, ElementsAre(8, 9));
  const Holes holes = tail.OnPage(again, {8});
  EXPECT_EQ(holes.late, 1u);
  EXPECT_EQ(holes.assumed, 1u);
  EXPECT_EQ(holes.proved, 0u);
}

TEST(ShardTailTest, AFailoverTakesProofAwayAndNeverMovesTheCheckpointBack) {
  ShardTail tail({}, {});
  Poll(tail, 9, 5, At(0));
  Poll(tail, 9, 7, At(2));
  Poll(tail, 7, 20, At(3), "other");
  EXPECT_EQ(tail.global_checkpoint(), 9);
  const Fetch fetch = Next(tail, At(3));
  EXPECT_EQ(fetch.range, (Range{-1, 9}));
  EXPECT_EQ(fetch.node, "other");
  EXPECT_FALSE(fetch.proving);
  EXPECT_FALSE(tail.checkpoint_went_back(At(3 + 299)));
  EXPECT_TRUE(tail.checkpoint_went_back(At(3 + 300)));
  Poll(tail, 9, 21, At(400), "other");
  EXPECT_FALSE(tail.checkpoint_went_back(At(1000)));
}

TEST(ShardTailTest, AFailedSearchIsMadeAgain) {
  ShardTail tail({}, {});
  Poll(tail, 9, 1, At(0));
  tail.OnFailed(Next(tail, At(0)));
  const Fetch again = Next(tail, At(0));
  EXPECT_EQ(again.range, (Range{-1, 9}));
  EXPECT_THAT(again.numbers, IsEmpty());
}

TEST(ShardTailTest, ATooLargeReplyIsHalvedDownToOneNumber) {
  ShardTail tail({}, {});
  Poll(tail, 3, 1, At(0));
  EXPECT_TRUE(tail.OnTooLarge(Next(tail, At(0))));
  const Fetch first = Next(tail, At(0));
  EXPECT_EQ(first.range, (Range{-1, 1}));
  const Fetch second = Next(tail, At(0));
  EXPECT_EQ(second.range, (Range{1, 3}));
  EXPECT_TRUE(tail.OnTooLarge(first));
  const Fetch single = Next(tail, At(0));
  EXPECT_EQ(single.range, (Range{-1, 0}));
  EXPECT_FALSE(tail.OnTooLarge(single));
  tail.OnPage(single, {0});
  tail.OnPage(Next(tail, At(0)), {1});
  tail.OnPage(second, {2, 3});
  for (const int64_t window : {-1, 0}) tail.OnEventsEnded(window, 1);
  tail.OnEventsEnded(1, 2);
  Poll(tail, 3, 1, At(1));
  EXPECT_THAT(tail.TakeClosed(), SizeIs(3));
}

TEST(ShardTailTest, TooManyMissingNumbersAreAskedForInParts) {
  ShardTail tail({}, {});
  Poll(tail, 9, 1, At(0));
  tail.OnPage(Next(tail, At(0)), {});
  tail.OnRefreshed(tail.primary(), At(1));
  EXPECT_TRUE(tail.OnTooLarge(Next(tail, At(1))));
  const Fetch half = Next(tail, At(1));
  EXPECT_THAT(half.numbers, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(tail.OnPage(half, {0, 2}).proved, 3u);
  EXPECT_THAT(Next(tail, At(1)).numbers, SizeIs(5));
}

TEST(ShardTailTest, ReadingGoesOnOutsideWhatThePositionHolds) {
  ShardTail tail({}, {{-1, 99}, {199, 299}});
  Poll(tail, 349, 1, At(0));
  EXPECT_EQ(Next(tail, At(0)).range, (Range{99, 199}));
  EXPECT_EQ(Next(tail, At(0)).range, (Range{299, 349}));
  EXPECT_FALSE(tail.HasFetch(At(0)));
}

TEST(ShardTailTest, AGapAboveTheCheckpointWaits) {
  ShardTail tail({}, {{-1, 99}, {199, 299}});
  Poll(tail, 149, 1, At(0));
  EXPECT_EQ(Next(tail, At(0)).range, (Range{99, 149}));
  EXPECT_FALSE(tail.HasFetch(At(0)));
  Poll(tail, 299, 1, At(1));
  EXPECT_EQ(Next(tail, At(1)).range, (Range{149, 199}));
}

TEST(ShardTailTest, WindowsGrowInSparseStretchesAndComeBack) {
  ShardTail tail({}, {});
  Poll(tail, 100'000, 1, At(0));
  Poll(tail, 100'000, 3, At(1));
  int64_t numbers = 0;
  for (int i = 0; i < 6; ++i) {
    const Fetch fetch = Next(tail, At(1));
    numbers = fetch.range.to - fetch.range.from;
    EXPECT_EQ(fetch.size, numbers);
    tail.OnPage(fetch, {fetch.range.to});
  }
  EXPECT_EQ(numbers, ShardTail::kWindowNumbersMax);
  const Fetch full = Next(tail, At(1));
  tail.OnPage(full, Numbers(full.range.from, full.range.to));
  EXPECT_EQ(tail.window_numbers(), ShardTail::kWindowNumbers);
}

TEST(ShardTailTest, LongWindowsAreOnlyForNumbersWhoseHolesAreProvedAtOnce) {
  ShardTail tail({}, {});
  Poll(tail, 999, 1, At(0));
  Poll(tail, 100'000, 3, At(1));
  tail.OnPage(Next(tail, At(1)), {});
  EXPECT_GT(tail.window_numbers(), ShardTail::kWindowNumbers);
  EXPECT_EQ(Next(tail, At(1)).range, (Range{999, 1999}));
}

TEST(ShardTailTest, ReadingStopsAtTooManyOpenWindows) {
  ShardTail tail({}, {});
  Poll(tail, 1'000'000, 1, At(0));
  size_t windows = 0;
  for (; tail.HasFetch(At(0)); ++windows) {
    const Fetch fetch = Next(tail, At(0));
    tail.OnPage(fetch, Numbers(fetch.range.from, fetch.range.to - 1));
  }
  EXPECT_EQ(windows, ShardTail::kOpenWindowsMax);
  tail.OnRefreshed(tail.primary(), At(1));
  EXPECT_THAT(Next(tail, At(1)).numbers, SizeIs(1));
}

TEST(ShardTailTest, ReadingStopsAtTooManyWindowsThatWaitForTheirEvents) {
  ShardTail tail({}, {});
  Poll(tail, 10'000'000, 1, At(0));
  size_t windows = 0;
  for (; tail.HasFetch(At(0)); ++windows) {
    const Fetch fetch = Next(tail, At(0));
    tail.OnPage(fetch, Numbers(fetch.range.from, fetch.range.to));
  }
  EXPECT_EQ(windows, ShardTail::kWindowsMax);
}

TEST(ShardTailTest, EqualNumbersAreAskedForWithRoomForAllOfThem) {
  ShardTailOptions options;
  options.numbers_repeat = true;
  ShardTail tail(options, {});
  Poll(tail, 1, 1, At(0));
  const Fetch fetch = Next(tail, At(0));
  EXPECT_EQ(fetch.size, 2 * 2 + ShardTail::kNumberRepeatsMax);
  tail.OnPage(fetch, {0, 0, 0, 1});
  tail.OnEventsEnded(fetch.window, 3);
  Poll(tail, 1, 1, At(1));
  EXPECT_THAT(tail.TakeClosed(), IsEmpty());
  tail.OnEventsEnded(fetch.window, 1);
  EXPECT_THAT(tail.TakeClosed(), ElementsAre(Range{-1, 1}));
}

TEST(ShardTailTest, AShrunkWindowGrowsBackWithGoodPages) {
  ShardTail tail({}, {});
  Poll(tail, 100'000, 1, At(0));
  tail.Shrink();
  EXPECT_EQ(tail.window_numbers(), 500);
  for (int i = 0; i < 10; ++i) {
    const Fetch fetch = Next(tail, At(0));
    tail.OnPage(fetch, Numbers(fetch.range.from, fetch.range.to));
  }
  EXPECT_EQ(tail.window_numbers(), ShardTail::kWindowNumbers);
}

}  // namespace
}  // namespace nightjar::es_reader
