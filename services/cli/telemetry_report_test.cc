#include "services/cli/telemetry_report.h"

#include "gtest/gtest.h"
#include "services/cli/status_testing.h"

namespace nightjar::cli {
namespace {

using admin::v1::StageStatus;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

StageStatus Reader(int dns) {
  return ParseStatus("state: STATE_READY activity { type: 'dns' count: " + std::to_string(dns) +
                     " last_record { seconds: 1799999999 nanos: 500000000 } }");
}

StageStatus Forwarder(int dns) {
  return ParseStatus(
      "counts { outcome: OUTCOME_ACCEPTED type: 'dns' count: " + std::to_string(dns) +
      " } counts { outcome: OUTCOME_REJECTED type: 'dns' count: 77 }");
}

TEST(TelemetryReportTest, SentEventsAreThoseSinceTheLineBefore) {
  TelemetryReport report({"dns"});
  EXPECT_EQ(report.Lines(Reader(10), Forwarder(8), kNow),
            "INFO[2027-01-15T08:00:00Z] telemetry sent  events=8 "
            "lastIngested=\"2027-01-15T07:59:59.500Z\" name=dns-000\n");
  EXPECT_EQ(report.Lines(Reader(30), Forwarder(20), kNow),
            "INFO[2027-01-15T08:00:00Z] telemetry sent  events=12 "
            "lastIngested=\"2027-01-15T07:59:59.500Z\" name=dns-000\n");
}

TEST(TelemetryReportTest, NothingInScopeIsToldFromNothingFound) {
  TelemetryReport report({"dns", "tls"});
  EXPECT_EQ(report.Lines(Reader(10), Forwarder(0), kNow),
            "INFO[2027-01-15T08:00:00Z] no retrieved events in scope  retrievedEvents=10 "
            "name=dns-000\n"
            "INFO[2027-01-15T08:00:00Z] search has returned no results  name=tls-000\n");
  EXPECT_EQ(report.Lines(Reader(10), Forwarder(0), kNow),
            "INFO[2027-01-15T08:00:00Z] search has returned no results  name=dns-000\n"
            "INFO[2027-01-15T08:00:00Z] search has returned no results  name=tls-000\n");
}

TEST(TelemetryReportTest, AReaderThatIsNotReadyIsNotAnEmptySearch) {
  TelemetryReport report({"dns"});
  EXPECT_EQ(report.Lines(ParseStatus("state: STATE_DEGRADED reason: 'elasticsearch: 401'"),
                         Forwarder(0), kNow),
            "WARN[2027-01-15T08:00:00Z] nothing retrieved, es-reader is not ready  "
            "reason=\"elasticsearch: 401\" name=dns-000\n");
}

TEST(TelemetryReportTest, ARestartedStageCountsFromZero) {
  TelemetryReport report({"dns"});
  (void)report.Lines(Reader(1000), Forwarder(900), kNow);
  EXPECT_EQ(report.Lines(Reader(1010), Forwarder(7), kNow),
            "INFO[2027-01-15T08:00:00Z] telemetry sent  events=7 "
            "lastIngested=\"2027-01-15T07:59:59.500Z\" name=dns-000\n");
}

TEST(TelemetryReportTest, AStageThatDoesNotAnswerIsNoSilence) {
  EXPECT_EQ(UnreachableLine("es-reader", "connection\nrefused", kNow),
            "WARN[2027-01-15T08:00:00Z] telemetry is not reported: es-reader does not answer  "
            "error=\"connection\\nrefused\"\n");
}

}  // namespace
}  // namespace nightjar::cli
