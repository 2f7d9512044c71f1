#include "services/analytics_engine/sources_today.h"

#include "gtest/gtest.h"

namespace nightjar::analytics_engine {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1764000000 - 1764000000 % 86400 + 43200);

TEST(SourcesToday, CountsEachSourceOfASiteOnce) {
  SourcesToday sources;
  sources.Add(kNoon, "oslo", "10.0.0.1");
  sources.Add(kNoon, "oslo", "10.0.0.1");
  sources.Add(kNoon, "bergen", "10.0.0.1");
  sources.Add(kNoon, "oslo", "10.0.0.2");
  sources.Add(kNoon, "oslo", "");
  EXPECT_EQ(sources.Count(kNoon), 3u);
}

TEST(SourcesToday, BeginsAnewAtMidnightUtc) {
  SourcesToday sources;
  sources.Add(kNoon, "", "10.0.0.1");
  EXPECT_EQ(sources.Count(kNoon + absl::Hours(12) - absl::Seconds(1)), 1u);
  EXPECT_EQ(sources.Count(kNoon + absl::Hours(12)), 0u);
}

}  // namespace
}  // namespace nightjar::analytics_engine
