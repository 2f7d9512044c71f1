#include "services/ae_forwarder/ended_set.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::ae_forwarder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

EventKey Number(int64_t number) { return {false, 0, number}; }
EventKey Hash(uint64_t hash, int64_t number) { return {true, hash, number}; }

std::vector<bool> Find(const EndedSet& set, const std::string& epoch, std::vector<EventKey> keys) {
  std::vector<bool> ended;
  set.Find(epoch, keys, &ended);
  return ended;
}

TEST(EndedSet, NumbersOfOneEpochAreNotThoseOfAnother) {
  EndedSet set;
  set.Apply({"a", 1, false, {{4, 6}}, {}});
  EXPECT_THAT(Find(set, "a", {Number(4), Number(5), Number(6), Number(7)}),
              ElementsAre(false, true, true, false));
  EXPECT_THAT(Find(set, "b", {Number(5)}), ElementsAre(false));
}

TEST(EndedSet, HashesAndNumbersAreApart) {
  EndedSet set;
  set.Apply({"a", 1, false, {{4, 6}}, {{77, 5}}});
  EXPECT_THAT(Find(set, "a", {Hash(77, 9), Hash(5, 5), Number(77)}),
              ElementsAre(true, false, false));
}

TEST(EndedSet, ALowerTokenIsFencedAndAHigherOneIsRemembered) {
  EndedSet set;
  EXPECT_OK(set.Admit("a", 3));
  EXPECT_OK(set.Admit("a", 3));
  EXPECT_OK(set.Admit("a", 5));
  EXPECT_THAT(set.Admit("a", 4), StatusIs(absl::StatusCode::kAborted, HasSubstr("token 5, got 4")));
  EXPECT_OK(set.Admit("b", 1));
}

TEST(EndedSet, ForgettingFreesNumbersAndTheHashesOfThoseNumbers) {
  EndedSet set;
  set.Apply({"a", 1, false, {{-1, 9}}, {{70, 3}, {71, 8}}});
  EXPECT_EQ(set.entries(), 3u);
  EXPECT_TRUE(set.Apply({"a", 0, true, {{-1, 5}}, {}}));
  EXPECT_EQ(set.entries(), 2u);
  EXPECT_THAT(Find(set, "a", {Number(6), Hash(71, 8)}), ElementsAre(true, true));
  EXPECT_TRUE(set.Apply({"a", 0, true, {{-1, 9}}, {}}));
  EXPECT_EQ(set.entries(), 0u);
}

// A scorer that was frozen has a copy of a batch that has gone another way since.
TEST(EndedSet, WhatWasForgottenCannotComeAgainFromTheSameOwner) {
  EndedSet set;
  ASSERT_OK(set.Admit("a", 1));
  set.Apply({"a", 1, false, {{-1, 9}}, {{70, 3}}});
  set.Apply({"a", 0, true, {{-1, 5}}, {}});
  EXPECT_THAT(Find(set, "a", {Number(5), Number(10), Hash(70, 3), Hash(80, 11)}),
              ElementsAre(true, false, true, false));
  ASSERT_OK(set.Admit("a", 2));  // may have been told to read again
  EXPECT_THAT(Find(set, "a", {Number(5), Number(6), Hash(70, 3)}), ElementsAre(false, true, false));
}

TEST(EndedSet, ForgettingWhatIsNotThereChangesNothing) {
  EndedSet set;
  EXPECT_FALSE(set.Apply({"a", 0, true, {{-1, 5}}, {}}));
  set.Apply({"a", 1, false, {{9, 10}}, {}});
  EXPECT_FALSE(set.Apply({"a", 0, true, {{-1, 5}}, {}}));
}

TEST(EndedSet, ASnapshotAppliedToAnEmptySetIsTheSameSet) {
  EndedSet set;
  ASSERT_OK(set.Admit("a", 7));
  for (int64_t n = 0; n < 200'000; n += 2) set.Apply({"b", 2, false, {{n, n + 1}}, {}});
  set.Apply({"b", 2, false, {}, {{1, 2}, {3, 4}}});
  EndedSet copy;
  for (const EndedChange& change : set.Snapshot()) copy.Apply(change);
  EXPECT_EQ(copy.entries(), 100'002u);
  EXPECT_THAT(Find(copy, "b", {Number(199'999), Number(200'000), Hash(3, 4)}),
              ElementsAre(true, false, true));
  EXPECT_THAT(copy.Admit("a", 6), StatusIs(absl::StatusCode::kAborted));
}

TEST(AddKey, RisingNumbersBecomeOneInterval) {
  EndedChange change;
  for (const int64_t n : {3, 4, 5, 9, 8}) AddKey(Number(n), &change);
  EXPECT_THAT(change.intervals, ElementsAre(Pair(2, 5), Pair(8, 9), Pair(7, 8)));
}

}  // namespace
}  // namespace nightjar::ae_forwarder
