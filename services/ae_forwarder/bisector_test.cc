#include "services/ae_forwarder/bisector.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::ae_forwarder {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const absl::Status kRefusal = absl::InvalidArgumentError("malformed");

// An engine that refuses every body with a bad line in it, as the API does.
class BisectorTest : public testing::Test {
 protected:
  absl::Status Post(absl::Span<const uint32_t> lines) {
    ++posts_;
    for (const uint32_t line : lines) {
      if (bad_.count(line) > 0) return kRefusal;
    }
    for (const uint32_t line : lines) EXPECT_TRUE(accepted_.insert(line).second) << line;
    return absl::OkStatus();
  }

  // The first post of the whole body, and the bisection if it is refused.
  absl::Status Deliver(uint32_t lines) {
    std::vector<uint32_t> all(lines);
    std::iota(all.begin(), all.end(), 0);
    const auto post = [this](absl::Span<const uint32_t> part) { return Post(part); };
    if (post(all).ok()) return absl::OkStatus();
    return Bisect("dns", all, kRefusal, guard_, post, &refused_);
  }

  void ExpectRefusedIsBad() {
    std::set<uint32_t> refused;
    for (const RefusedLine& line : refused_) {
      refused.insert(line.line);
      EXPECT_EQ(line.status, kRefusal);
    }
    EXPECT_EQ(refused, bad_);
  }

  std::set<uint32_t> bad_;
  std::set<uint32_t> accepted_;
  RefusalGuard guard_;
  std::vector<RefusedLine> refused_;
  int posts_ = 0;
};

TEST_F(BisectorTest, OneBadEventInThousandTakesAtMost22Posts) {
  for (uint32_t bad = 0; bad < 1000; ++bad) {
    bad_ = {bad};
    accepted_.clear();
    posts_ = 0;
    ASSERT_OK(Deliver(1000));
    EXPECT_LE(posts_, 22) << bad;
    EXPECT_EQ(accepted_.size(), 999u);
    ExpectRefusedIsBad();
  }
}

TEST_F(BisectorTest, SeveralBadEventsAreAllFoundAndTheOthersDelivered) {
  bad_ = {0, 1, 17, 499, 500, 998, 999};
  ASSERT_OK(Deliver(1000));
  EXPECT_EQ(accepted_.size(), 993u);
  ExpectRefusedIsBad();
}

TEST_F(BisectorTest, BadEventsAllOverTheBodyDoNotBlameTheEngine) {
  for (uint32_t i = 0; i < 1000; i += 3) bad_.insert(i);
  ASSERT_OK(Deliver(1000));
  EXPECT_EQ(accepted_.size(), 666u);
  ExpectRefusedIsBad();
}

TEST_F(BisectorTest, ARunOfBadEventsAtTheStartDoesNotBlameTheEngine) {
  for (uint32_t i = 0; i < 600; ++i) bad_.insert(i);
  ASSERT_OK(Deliver(1000));
  EXPECT_EQ(accepted_.size(), 400u);
  ExpectRefusedIsBad();
}

TEST_F(BisectorTest, AnEngineThatRefusesEverythingIsBlamedAndNothingQuarantined) {
  for (uint32_t i = 0; i < 5000; ++i) bad_.insert(i);
  EXPECT_THAT(Deliver(5000),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("malformed")));
  EXPECT_THAT(refused_, IsEmpty());
  EXPECT_LT(posts_, 50);
}

TEST_F(BisectorTest, AfterTheEngineIsBlamedABodyWithGoodEventsEndsIt) {
  for (uint32_t i = 0; i < 100; ++i) bad_.insert(i);
  EXPECT_THAT(Deliver(100), StatusIs(absl::StatusCode::kFailedPrecondition));
  bad_ = {0, 10, 20, 30, 40, 50, 60, 70, 80, 90};
  ASSERT_OK(Deliver(100));
  ExpectRefusedIsBad();
  EXPECT_FALSE(guard_.BlamesEngine("dns"));
}

TEST_F(BisectorTest, SmallBodiesRefusedInARowBlameTheEngineToo) {
  bad_ = {0};
  for (int i = 1; i < RefusalGuard::kRefusedInARowMax; ++i) {
    ASSERT_OK(Deliver(1));
    EXPECT_EQ(refused_.size(), 1u);
  }
  EXPECT_THAT(Deliver(1), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(refused_, IsEmpty());
  guard_.Accepted("dns");
  EXPECT_OK(Deliver(1));
}

TEST_F(BisectorTest, AnyOtherErrorEndsItAndQuarantinesNothing) {
  int left = 3;
  const auto post = [&](absl::Span<const uint32_t>) {
    return --left == 0 ? absl::CancelledError("stopped") : kRefusal;
  };
  EXPECT_THAT(Bisect("dns", {0, 1, 2, 3}, kRefusal, guard_, post, &refused_),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(refused_, IsEmpty());
}

}  // namespace
}  // namespace nightjar::ae_forwarder
