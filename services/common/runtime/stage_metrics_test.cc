#include "services/common/runtime/stage_metrics.h"

#include <cstdlib>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/runtime/main.h"

namespace nightjar::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class StageMetricsTest : public testing::Test {
 protected:
  std::string Page() {
    stage_metrics_.Refresh();
    return metrics_.Render();
  }

  SimulatedClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "scorer"};
  StageMonitor monitor_{"scorer", ledger_, clock_};
  StageMetrics stage_metrics_{"scorer", metrics_, monitor_};
};

TEST_F(StageMetricsTest, StateAndReadinessFollowTheMonitor) {
  EXPECT_THAT(Page(),
              AllOf(HasSubstr("nightjar_stage_ready{stage=\"scorer\"} 0\n"),
                    HasSubstr("nightjar_stage_state{stage=\"scorer\",state=\"starting\"} 1\n")));
  monitor_.SetStarted();
  EXPECT_THAT(Page(),
              AllOf(HasSubstr("nightjar_stage_ready{stage=\"scorer\"} 1\n"),
                    HasSubstr("nightjar_stage_state{stage=\"scorer\",state=\"starting\"} 0\n"),
                    HasSubstr("nightjar_stage_state{stage=\"scorer\",state=\"ready\"} 1\n")));
}

TEST_F(StageMetricsTest, ConditionsAreCountedByKindAndGoBackToZero) {
  monitor_.SetStarted();
  monitor_.SetCondition("shard:packetbeat-1/0", "no primary");
  monitor_.SetCondition("shard:packetbeat-1/1", "no primary");
  const std::string shards = "nightjar_stage_conditions{condition=\"shard\",stage=\"scorer\"} ";
  EXPECT_THAT(Page(), AllOf(HasSubstr(shards + "2\n"), Not(HasSubstr("packetbeat"))));
  monitor_.ClearCondition("shard:packetbeat-1/0");
  monitor_.ClearCondition("shard:packetbeat-1/1");
  EXPECT_THAT(Page(), HasSubstr(shards + "0\n"));
}

TEST_F(StageMetricsTest, TheClockIsTheStagesOwn) {
  EXPECT_THAT(Page(),
              HasSubstr("nightjar_stage_clock_timestamp_seconds{stage=\"scorer\"} 1800000000\n"));
  clock_.Advance(absl::Seconds(7));
  EXPECT_THAT(Page(), AllOf(HasSubstr("nightjar_stage_clock_timestamp_seconds{stage=\"scorer\"} "
                                      "1800000007\n"),
                            HasSubstr("nightjar_stage_start_timestamp_seconds{stage=\"scorer\"} "
                                      "1800000000\n")));
}

TEST_F(StageMetricsTest, ATypeHasATimeOnceARecordHasCome) {
  EXPECT_THAT(Page(), Not(HasSubstr("nightjar_stage_last_record_timestamp_seconds{")));
  telemetry::v1::Batch batch;
  telemetry::v1::Event& event = *batch.add_events();
  event.mutable_dns();
  event.set_time_unix_nano(1'799'999'999'500'000'000);
  monitor_.Observe(batch);
  EXPECT_THAT(Page(), HasSubstr("nightjar_stage_last_record_timestamp_seconds{stage=\"scorer\","
                                "type=\"dns\"} 1799999999.5\n"));
}

TEST_F(StageMetricsTest, WhatCannotBeMeasuredHasNoSeries) {
  stage_metrics_.WatchFolder("/nonexistent");
  stage_metrics_.WatchCertificate("/nonexistent/tls.crt");
  EXPECT_THAT(Page(), AllOf(Not(HasSubstr("nightjar_stage_disk_free_bytes")),
                            Not(HasSubstr("nightjar_stage_certificate_expiry"))));
}

TEST_F(StageMetricsTest, ACertificateThatIsGoneKeepsItsLastEnd) {
  const std::string path = testing::TempDir() + "/tls.crt";
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 3 "
      "-keyout /dev/null -out " +
      path + " 2>/dev/null";
  ASSERT_EQ(std::system(make.c_str()), 0);
  stage_metrics_.WatchCertificate(path);
  const std::string series =
      "nightjar_stage_certificate_expiry_timestamp_seconds{stage=\"scorer\"} ";
  EXPECT_THAT(Page(), HasSubstr(series));
  std::remove(path.c_str());
  EXPECT_THAT(Page(), HasSubstr(series));
}

TEST_F(StageMetricsTest, ProcessDiskVersionAndTransport) {
  stage_metrics_.WatchFolder(testing::TempDir());
  stage_metrics_.SetInsecure("engine", true);
  stage_metrics_.SetInsecure("stages", false);
  EXPECT_THAT(
      Page(),
      AllOf(HasSubstr("nightjar_stage_resident_memory_bytes{"),
            HasSubstr("nightjar_stage_cpu_seconds_total{"),
            HasSubstr("nightjar_stage_disk_free_bytes{"),
            HasSubstr("nightjar_stage_disk_size_bytes{"),
            HasSubstr(std::string("nightjar_build_info{stage=\"scorer\",version=\"") + Version()),
            HasSubstr("nightjar_stage_insecure_transport{stage=\"scorer\",to=\"engine\"} 1\n"),
            HasSubstr("nightjar_stage_insecure_transport{stage=\"scorer\",to=\"stages\"} 0\n")));
}

}  // namespace
}  // namespace nightjar::runtime
