#include "services/cli/telemetry_reporter.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/metrics/ledger.h"
#include "services/common/runtime/stage_server.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::cli {
namespace {

// A stage that serves its status.
struct ServedStage {
  explicit ServedStage(const std::string& name)
      : ledger(metrics, name),
        monitor(name, ledger, SystemClock()),
        server({name, "", 0}, {"", false, "127.0.0.1:0", ""}, security, metrics, monitor,
               [] { return std::string(); }) {
    EXPECT_OK(server.Start());
  }
  ~ServedStage() { server.Shutdown(absl::Seconds(1)); }

  const rpc::Security security;
  metrics::Metrics metrics;
  metrics::Ledger ledger;
  runtime::StageMonitor monitor;
  runtime::StageServer server;
};

std::string Content(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

void AwaitLines(const std::string& path, int lines) {
  for (;;) {
    const std::string content = Content(path);
    if (std::count(content.begin(), content.end(), '\n') >= lines) return;
    std::this_thread::yield();
  }
}

TEST(TelemetryReporterTest, WritesTheLinesOfEverySearchedTypeEachHalfMinute) {
  ServedStage reader("es-reader");
  ServedStage forwarder("ae-forwarder");
  config::Config config;
  config.log.file = testing::TempDir() + "/report.log";
  config.services.es_reader.addresses = {reader.server.grpc_address()};
  config.services.ae_forwarder.addresses = {forwarder.server.grpc_address()};
  for (const config::EventType type :
       {config::EventType::kTls, config::EventType::kDns, config::EventType::kTls}) {
    config.elastic.searches.emplace_back();
    config.elastic.searches.back().event_type = type;
  }
  reader.monitor.SetStarted();
  SimulatedClock clock(absl::FromUnixSeconds(1'800'000'000));
  {
    TelemetryReporter reporter(config, clock);
    reporter.Start();
    forwarder.ledger.Read("dns", 3);
    forwarder.ledger.Ended(telemetry::v1::OUTCOME_ACCEPTED, "", "dns", 3);
    while (clock.waiting() == 0) std::this_thread::yield();
    clock.Advance(kReportInterval);
    AwaitLines(config.log.file, 2);
    forwarder.server.Shutdown(absl::Seconds(1));
    while (clock.waiting() == 0) std::this_thread::yield();
    clock.Advance(kReportInterval);
    AwaitLines(config.log.file, 3);
  }
  EXPECT_THAT(
      Content(config.log.file),
      testing::StartsWith(
          "INFO[2027-01-15T08:00:30Z] search has returned no results  name=tls-000\n"
          "INFO[2027-01-15T08:00:30Z] telemetry sent  events=3 name=dns-000\n"
          "WARN[2027-01-15T08:01:00Z] telemetry is not reported: ae-forwarder does not answer"));
}

}  // namespace
}  // namespace nightjar::cli
