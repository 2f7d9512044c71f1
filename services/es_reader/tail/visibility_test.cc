#include "services/es_reader/tail/visibility.h"

#include "gtest/gtest.h"

namespace nightjar::es_reader {
namespace {

constexpr absl::Duration kNow = absl::Seconds(100);

TEST(VisibilityTest, NothingIsCertainAtFirst) {
  Visibility visibility;
  visibility.Observe("node", 10, 5, kNow);
  EXPECT_EQ(visibility.visible_to(), -1);
}

TEST(VisibilityTest, OneRefreshIsNoProofTwoAre) {
  Visibility visibility;
  visibility.Observe("node", 10, 5, kNow);
  visibility.Observe("node", 20, 6, kNow);
  EXPECT_EQ(visibility.visible_to(), -1);
  visibility.Observe("node", 30, 7, kNow);
  EXPECT_EQ(visibility.visible_to(), 10);
  visibility.Observe("node", 30, 8, kNow);
  EXPECT_EQ(visibility.visible_to(), 20);
}

TEST(VisibilityTest, TheLatestCheckpointReadAtOneCountOfRefreshesIsTheOneThatIsProved) {
  Visibility visibility;
  visibility.Observe("node", 10, 5, kNow);
  visibility.Observe("node", 15, 5, kNow);
  visibility.Observe("node", 40, 9, kNow);
  EXPECT_EQ(visibility.visible_to(), 15);
}

TEST(VisibilityTest, AnotherNodeIsAnotherCopy) {
  Visibility visibility;
  visibility.Observe("node", 10, 5, kNow);
  visibility.Observe("node", 10, 7, kNow);
  ASSERT_EQ(visibility.visible_to(), 10);
  visibility.Observe("other", 10, 9, kNow);
  EXPECT_EQ(visibility.visible_to(), -1);
}

TEST(VisibilityTest, ACountThatWentBackIsAnotherCopy) {
  Visibility visibility;
  visibility.Observe("node", 10, 5, kNow);
  visibility.Observe("node", 10, 7, kNow);
  visibility.Observe("node", 10, 1, kNow);
  EXPECT_EQ(visibility.visible_to(), -1);
  visibility.Observe("node", 12, 3, kNow);
  EXPECT_EQ(visibility.visible_to(), 10);
}

TEST(VisibilityTest, AForcedRefreshProvesWhatWasReadBeforeItOnTheSameNode) {
  Visibility visibility;
  visibility.Observe("node", 10, 5, kNow);
  visibility.OnRefreshed("other", 10, kNow);
  EXPECT_EQ(visibility.visible_to(), -1);
  visibility.OnRefreshed("node", 10, kNow + absl::Seconds(1));
  EXPECT_EQ(visibility.visible_to(), 10);
  EXPECT_EQ(visibility.last_refresh(), kNow + absl::Seconds(1));
}

}  // namespace
}  // namespace nightjar::es_reader
