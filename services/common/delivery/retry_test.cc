#include "services/common/delivery/retry.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::delivery {
namespace {

using absl::StatusCode;

TEST(IsRetryableTest, IsDecidedByTheCode) {
  for (StatusCode code :
       {StatusCode::kUnavailable, StatusCode::kDeadlineExceeded, StatusCode::kResourceExhausted,
        StatusCode::kAborted, StatusCode::kUnauthenticated, StatusCode::kPermissionDenied}) {
    EXPECT_TRUE(IsRetryable(absl::Status(code, ""))) << absl::StatusCodeToString(code);
  }
  for (StatusCode code :
       {StatusCode::kOk, StatusCode::kCancelled, StatusCode::kUnknown, StatusCode::kInvalidArgument,
        StatusCode::kNotFound, StatusCode::kAlreadyExists, StatusCode::kFailedPrecondition,
        StatusCode::kOutOfRange, StatusCode::kUnimplemented, StatusCode::kInternal,
        StatusCode::kDataLoss}) {
    EXPECT_FALSE(IsRetryable(absl::Status(code, ""))) << absl::StatusCodeToString(code);
  }
}

TEST(StatusFromHttpTest, MapsEveryKindOfReply) {
  const struct {
    int http;
    StatusCode code;
  } kCases[] = {
      {200, StatusCode::kOk},
      {201, StatusCode::kOk},
      {299, StatusCode::kOk},
      {0, StatusCode::kUnknown},
      {199, StatusCode::kUnknown},
      {302, StatusCode::kUnknown},
      {400, StatusCode::kInvalidArgument},
      {401, StatusCode::kUnauthenticated},
      {403, StatusCode::kPermissionDenied},
      {404, StatusCode::kNotFound},
      {405, StatusCode::kUnknown},
      {408, StatusCode::kDeadlineExceeded},
      {413, StatusCode::kInvalidArgument},
      {418, StatusCode::kUnknown},
      {422, StatusCode::kInvalidArgument},
      {429, StatusCode::kResourceExhausted},
      {500, StatusCode::kUnavailable},
      {502, StatusCode::kUnavailable},
      {503, StatusCode::kUnavailable},
      {504, StatusCode::kDeadlineExceeded},
      {599, StatusCode::kUnavailable},
      {600, StatusCode::kUnknown},
      {-1, StatusCode::kUnknown},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(StatusFromHttp(c.http, "search", ""), StatusIs(c.code)) << c.http;
  }
}

TEST(StatusFromHttpTest, TheMessageIsOnePrintableLine) {
  EXPECT_EQ(StatusFromHttp(503, "POST http://h:1", "").message(), "POST http://h:1: HTTP 503");
  EXPECT_EQ(StatusFromHttp(400, "search", "\r\n{\"a\":\n\t 1}\x1b[31m\xff\xfe\n").message(),
            "search: HTTP 400: {\"a\": 1} [31m");
  EXPECT_EQ(StatusFromHttp(500, "x", std::string("a\0b", 3)).message(), "x: HTTP 500: a b");
}

TEST(StatusFromHttpTest, AtMost200CharactersOfTheBodyAreShown) {
  const absl::Status status = StatusFromHttp(502, "x", std::string(100000, 'b') + "end");
  EXPECT_EQ(status.message(), "x: HTTP 502: " + std::string(200, 'b'));
}

// 10,000 draws of a uniform value: the mean is within 0.5 +- 0.03 but for one run in 10^24.
constexpr int kDraws = 10000;

TEST(BackoffTest, DrawsEvenlyBelowABoundThatDoublesToTheMaximum) {
  for (int attempt = 1; attempt <= 10; ++attempt) {
    const double bound = std::min(0.5 * std::pow(2, attempt - 1), 30.0);
    double sum = 0, highest = 0;
    for (int draw = 0; draw < kDraws; ++draw) {
      Backoff backoff({absl::Milliseconds(500), absl::Seconds(30), absl::Minutes(5)});
      for (int i = 1; i < attempt; ++i) backoff.Next();
      const double wait = absl::ToDoubleSeconds(backoff.Next());
      ASSERT_GE(wait, 0);
      ASSERT_LE(wait, bound) << attempt;
      sum += wait;
      highest = std::max(highest, wait);
    }
    EXPECT_NEAR(sum / kDraws / bound, 0.5, 0.03) << attempt;
    EXPECT_GT(highest, 0.9 * bound) << attempt;
  }
}

TEST(BackoffTest, TheMaximumHoldsForManyAttempts) {
  Backoff backoff;
  double sum = 0;
  for (int attempt = 1; attempt <= kDraws; ++attempt) {
    const double wait = absl::ToDoubleSeconds(backoff.Next());
    ASSERT_LE(wait, 30) << attempt;
    EXPECT_EQ(backoff.attempts(), attempt);
    sum += wait;
  }
  EXPECT_NEAR(sum / kDraws, 15, 0.9);
}

TEST(BackoffTest, RetryAfterIsKeptWithinTenPercentAbove) {
  Backoff backoff;
  double sum = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const absl::Duration wait = backoff.Next(absl::Seconds(20));
    ASSERT_GE(wait, absl::Seconds(20));
    ASSERT_LE(wait, absl::Seconds(22));
    sum += absl::ToDoubleSeconds(wait);
  }
  EXPECT_NEAR(sum / kDraws, 21.0, 0.06);
}

TEST(BackoffTest, RetryAfterIsCappedAndNeverATightLoop) {
  Backoff backoff;
  for (absl::Duration wanted : {absl::Hours(24), absl::InfiniteDuration(), absl::Minutes(5)}) {
    const absl::Duration wait = backoff.Next(wanted);
    EXPECT_GE(wait, absl::Minutes(5));
    EXPECT_LE(wait, absl::Minutes(5.5));
  }
  for (absl::Duration wanted : {absl::ZeroDuration(), absl::Seconds(-5), absl::Milliseconds(1)}) {
    EXPECT_GE(backoff.Next(wanted), absl::Milliseconds(500));
    EXPECT_LE(backoff.Next(wanted), absl::Milliseconds(550));
  }
}

TEST(BackoffTest, ASuccessBeginsAnew) {
  Backoff backoff;
  for (int i = 0; i < 20; ++i) backoff.Next();
  backoff.Reset();
  EXPECT_EQ(backoff.attempts(), 0);
  EXPECT_LE(backoff.Next(), absl::Milliseconds(500));
}

TEST(BackoffTest, TwoOfThemDoNotMoveInStep) {
  Backoff one, two;
  int same = 0;
  for (int i = 0; i < 100; ++i) same += one.Next() == two.Next();
  EXPECT_LT(same, 5);
}

}  // namespace
}  // namespace nightjar::delivery
