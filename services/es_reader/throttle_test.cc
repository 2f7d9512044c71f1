#include "services/es_reader/throttle.h"

#include "gtest/gtest.h"

namespace nightjar::es_reader {
namespace {

constexpr absl::Duration kQuick = absl::Milliseconds(10);

absl::Duration At(double seconds) { return absl::Seconds(1000) + absl::Seconds(seconds); }

ThrottleOptions Options(int searches = 4) {
  ThrottleOptions options;
  options.searches_in_flight_max = searches;
  options.fetch_bytes_max = 1000;
  return options;
}

TEST(ThrottleTest, SearchesInFlightAreLimited) {
  Throttle throttle(Options(2));
  throttle.Started(1);
  EXPECT_TRUE(throttle.MayStart(1, At(0)));
  throttle.Started(1);
  EXPECT_FALSE(throttle.MayStart(1, At(0)));
  throttle.Ended(1);
  EXPECT_TRUE(throttle.MayStart(1, At(0)));
}

TEST(ThrottleTest, BytesAreReservedButOneSearchIsAlwaysAllowed) {
  Throttle throttle(Options());
  EXPECT_TRUE(throttle.MayStart(5000, At(0)));
  throttle.Started(600);
  EXPECT_FALSE(throttle.MayStart(500, At(0)));
  EXPECT_TRUE(throttle.MayStart(400, At(0)));
}

TEST(ThrottleTest, DocumentsPerSecondAreHeldOnAverage) {
  ThrottleOptions options = Options();
  options.docs_per_second_max = 100;
  Throttle throttle(options);
  double now = 0;
  uint64_t documents = 0;
  for (; now < 60; now += 0.1) {
    if (!throttle.MayStart(1, At(now))) continue;
    throttle.Started(1);
    throttle.Ended(1);
    throttle.OnAnswer(250, kQuick, At(now));
    documents += 250;
  }
  EXPECT_GE(documents, 60 * 95u);
  EXPECT_LE(documents, 60 * 105u + 250);
}

TEST(ThrottleTest, PushBackHalvesTheSearchesAndWaits) {
  Throttle throttle(Options());
  EXPECT_FALSE(throttle.OnPushBack(absl::Seconds(7), At(0)));
  EXPECT_EQ(throttle.searches_allowed(), 2);
  EXPECT_FALSE(throttle.MayStart(1, At(6.9)));
  EXPECT_TRUE(throttle.MayStart(1, At(8)));
  EXPECT_FALSE(throttle.OnPushBack(std::nullopt, At(0.5)));  // of the same moment: no further step
  EXPECT_EQ(throttle.searches_allowed(), 2);
  EXPECT_FALSE(throttle.OnPushBack(std::nullopt, At(10)));
  EXPECT_EQ(throttle.searches_allowed(), 1);
  EXPECT_TRUE(throttle.OnPushBack(std::nullopt, At(20)));  // smaller searches are all that is left
}

TEST(ThrottleTest, SlowAnswersStepDownAndGoodOnesStepUpAgain) {
  Throttle throttle(Options());
  throttle.OnAnswer(1, absl::Seconds(3), At(0));
  throttle.OnAnswer(1, absl::Seconds(3), At(0.1));
  EXPECT_EQ(throttle.searches_allowed(), 3);
  throttle.OnAnswer(1, absl::Seconds(3), At(2));
  EXPECT_EQ(throttle.searches_allowed(), 2);
  for (int i = 0; i < Throttle::kGoodSearchesForMore; ++i) throttle.OnAnswer(1, kQuick, At(3));
  EXPECT_EQ(throttle.searches_allowed(), 3);
  for (int i = 0; i < 10 * Throttle::kGoodSearchesForMore; ++i) {
    throttle.OnAnswer(1, kQuick, At(3));
  }
  EXPECT_EQ(throttle.searches_allowed(), 4);
}

}  // namespace
}  // namespace nightjar::es_reader
