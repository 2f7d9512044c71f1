#include "services/es_reader/sensor_activity.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"

namespace nightjar::es_reader {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string LastSeen(const std::string& sensor, int64_t time) {
  return absl::StrCat("nightjar_reader_sensor_last_seen_timestamp_seconds{sensor=\"", sensor,
                      "\"} ", time, "\n");
}

class SensorActivityTest : public testing::Test {
 protected:
  void Observe(const std::vector<std::string>& sensors) {
    telemetry::v1::Batch batch;
    for (const std::string& sensor : sensors) batch.add_events()->set_sensor_id(sensor);
    activity_.Observe(batch);
  }
  std::string Page() const { return metrics_.Render(); }

  SimulatedClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  metrics::Metrics metrics_;
  SensorActivity activity_{metrics_, clock_};
};

TEST_F(SensorActivityTest, EachSensorHasTheTimeOfItsLastEvent) {
  Observe({"a", "b", "a"});
  clock_.Advance(absl::Seconds(5));
  Observe({"b"});
  EXPECT_THAT(Page(), AllOf(HasSubstr(LastSeen("a", 1'800'000'000)),
                            HasSubstr(LastSeen("b", 1'800'000'005))));
}

TEST_F(SensorActivityTest, EventsWithoutASensorMakeNoSeries) {
  Observe({"", ""});
  EXPECT_THAT(Page(), Not(HasSubstr("nightjar_reader_sensor_last_seen")));
}

TEST_F(SensorActivityTest, ANameFromOutsideIsPrintableAndShort) {
  Observe({"evil\n\xff", std::string(1000, 'x')});
  EXPECT_THAT(Page(), AllOf(HasSubstr(LastSeen("evil\\\\n\\\\xff", 1'800'000'000)),
                            HasSubstr(LastSeen(std::string(64, 'x') + "...", 1'800'000'000))));
}

TEST_F(SensorActivityTest, BeyondTheLimitEventsAreCountedUntilASilentSensorMakesRoom) {
  for (size_t i = 0; i < SensorActivity::kSensorsMax; ++i) Observe({absl::StrCat("s", i)});
  Observe({"late", "late"});
  EXPECT_THAT(Page(), AllOf(HasSubstr("nightjar_reader_sensor_untracked_events_total 2\n"),
                            Not(HasSubstr("sensor=\"late\""))));
  clock_.Advance(SensorActivity::kForgetAfter - absl::Seconds(1));
  Observe({"s0"});
  clock_.Advance(absl::Seconds(1));
  Observe({"late"});
  EXPECT_THAT(Page(), AllOf(HasSubstr("sensor=\"late\""), HasSubstr("sensor=\"s0\""),
                            Not(HasSubstr("sensor=\"s1\"")),
                            HasSubstr("nightjar_reader_sensor_untracked_events_total 2\n")));
}

}  // namespace
}  // namespace nightjar::es_reader
