#include "services/common/runtime/token_bucket.h"

#include "gtest/gtest.h"

namespace nightjar::runtime {
namespace {

int Taken(TokenBucket& bucket, absl::Duration now, int tries) {
  int taken = 0;
  for (int i = 0; i < tries; ++i) taken += bucket.Take(now);
  return taken;
}

TEST(TokenBucketTest, GivesASecondsWorthAndRefillsWithTime) {
  TokenBucket bucket(10, absl::Seconds(5));
  EXPECT_EQ(Taken(bucket, absl::Seconds(5), 100), 10);
  EXPECT_EQ(Taken(bucket, absl::Seconds(5) + absl::Milliseconds(99), 100), 0);
  EXPECT_EQ(Taken(bucket, absl::Seconds(5) + absl::Milliseconds(301), 100), 3);
  EXPECT_EQ(Taken(bucket, absl::Hours(1), 100), 10);  // no more than one second's worth is saved
}

TEST(TokenBucketTest, OneASecondWorks) {
  TokenBucket bucket(1, absl::ZeroDuration());
  EXPECT_EQ(Taken(bucket, absl::ZeroDuration(), 5), 1);
  EXPECT_EQ(Taken(bucket, absl::Seconds(1), 5), 1);
}

}  // namespace
}  // namespace nightjar::runtime
