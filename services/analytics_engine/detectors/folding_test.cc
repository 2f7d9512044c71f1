#include "services/analytics_engine/detectors/folding.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace nightjar::analytics_engine {
namespace {

constexpr int64_t kNow = 1'764'000'000;  // seconds

Source At(const char* address, const char* site = "") {
  return Source(*network::Address::Parse(address), site);
}

class FoldingTest : public ::testing::Test {
 protected:
  metrics::Metrics metrics_;
  Folding folding_{metrics_};
  const Source source_ = At("10.0.0.1");
};

TEST_F(FoldingTest, LetsTheSameThroughOnceAnHourWithTheCount) {
  EXPECT_EQ(folding_.Admit(source_, "bad_tld", "a.top", 1, kNow), 1);
  for (int i = 1; i < 10; ++i) {
    EXPECT_EQ(folding_.Admit(source_, "bad_tld", "a.top", 1, kNow + i * 300), 0);
  }
  EXPECT_EQ(folding_.Admit(source_, "bad_tld", "a.top", 1, kNow + 3600), 10);
}

TEST_F(FoldingTest, OtherSourcesSitesThreatsAndKeysAreNotTheSame) {
  EXPECT_EQ(folding_.Admit(source_, "bad_tld", "a.top", 1, kNow), 1);
  EXPECT_EQ(folding_.Admit(At("10.0.0.2"), "bad_tld", "a.top", 1, kNow), 1);
  EXPECT_EQ(folding_.Admit(At("10.0.0.1", "berlin"), "bad_tld", "a.top", 1, kNow), 1);
  EXPECT_EQ(folding_.Admit(source_, "blocklist", "a.top", 1, kNow), 1);
  EXPECT_EQ(folding_.Admit(source_, "bad_tld", "b.top", 1, kNow), 1);
}

TEST_F(FoldingTest, GrowingSeverityIsLetThroughAtOnce) {
  EXPECT_EQ(folding_.Admit(source_, "multiple_long_hostnames", "a.top", 4, kNow), 1);
  EXPECT_EQ(folding_.Admit(source_, "multiple_long_hostnames", "a.top", 4, kNow + 1), 0);
  EXPECT_EQ(folding_.Admit(source_, "multiple_long_hostnames", "a.top", 5, kNow + 2), 2);
  EXPECT_EQ(folding_.Admit(source_, "multiple_long_hostnames", "a.top", 4, kNow + 3), 0);
}

// A sensor whose clock was a year ahead must not silence what comes after it was set right.
TEST_F(FoldingTest, AWrongClockSilencesNothing) {
  EXPECT_EQ(folding_.Admit(source_, "bad_tld", "a.top", 1, kNow + 365 * 86'400), 1);
  EXPECT_EQ(folding_.Admit(source_, "bad_tld", "a.top", 1, kNow), 1);
}

TEST_F(FoldingTest, ASourceGetsALimitedNumberOfOneThreatAnHour) {
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) {
    admitted += folding_.Admit(source_, "bad_tld", absl::StrCat(i, ".top"), 1, kNow + i) > 0;
  }
  EXPECT_EQ(admitted, Folding::kAlertsPerThreatMax);
  EXPECT_NE(
      metrics_.Render().find("nightjar_engine_findings_suppressed_total{reason=\"limit\"} 980"),
      std::string::npos);
  // Worse ones and other threats of the source get through, and so does the next hour.
  EXPECT_EQ(folding_.Admit(source_, "bad_tld", "worse.top", 2, kNow + 1000), 1);
  EXPECT_EQ(folding_.Admit(source_, "c2_communication", "a.top", 5, kNow + 1000), 1);
  EXPECT_GT(folding_.Admit(source_, "bad_tld", "999.top", 1, kNow + 4700), 0);
}

}  // namespace
}  // namespace nightjar::analytics_engine
