#include "services/analytics_engine/ingest.h"

#include <unistd.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/analytics_engine/api/event_decoder.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_engine {
namespace {

using telemetry::v1::Event;

class IngestTest : public testing::Test {
 protected:
  IngestTest()
      : ledger_(metrics_, "analytics-engine"), monitor_("analytics-engine", ledger_, clock_) {
    const std::string path =
        testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".db";
    for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
    auto database = Database::Open(path);
    EXPECT_OK(database);
    database_ = *std::move(database);
    auto alerts = AlertStore::Open(*database_, AlertLimits());
    EXPECT_OK(alerts);
    alerts_ = *std::move(alerts);
    std::ofstream(path + ".list") << "*.evil.example\n";
    auto lists = signals::ListSet::Load({{"c2", path + ".list"}});
    EXPECT_OK(lists);
    DetectorOptions options;
    options.lists = *lists;
    detectors_ = std::make_unique<Detectors>(options, metrics_);
    ingest_ = std::make_unique<Ingest>(
        IngestParts{*detectors_, *alerts_, ledger_, monitor_, engine_metrics_, clock_});
  }

  absl::StatusOr<analytics_api::EventsReply> Take(std::string lines) {
    const size_t size = lines.size();
    lines.append(kPaddingBytes, ' ');
    return ingest_->Take(Event::kDns, {lines.data(), size});
  }
  size_t StoredAlerts() { return *alerts_->Count(); }

  SimulatedClock clock_{absl::FromUnixSeconds(1764000000)};
  metrics::Metrics metrics_;
  metrics::Ledger ledger_;
  runtime::StageMonitor monitor_;
  EngineMetrics engine_metrics_{metrics_};
  std::unique_ptr<Database> database_;
  std::unique_ptr<AlertStore> alerts_;
  std::unique_ptr<Detectors> detectors_;
  std::unique_ptr<Ingest> ingest_;
};

constexpr char kHit[] = R"({"srcIP":"10.0.0.5","query":"a.evil.example"})";

TEST_F(IngestTest, AlertsAreStoredWhenTheBodyWasTaken) {
  const auto reply = Take(kHit);
  ASSERT_OK(reply);
  EXPECT_EQ(reply->accepted, 1u);
  EXPECT_EQ(StoredAlerts(), 1u);
  const AlertPage page = *alerts_->Page("", 0);
  EXPECT_EQ(page.alerts[0].event, kHit);
  EXPECT_EQ(page.alerts[0].id.size(), 36u);
  EXPECT_EQ(page.alerts[0].created, clock_.Now());
}

// The detectors do not raise it a second time for the same source, so it must not be lost here.
TEST_F(IngestTest, AnAlertOutlivesADatabaseThatRefusesIt) {
  ASSERT_OK(database_->Execute("PRAGMA query_only = 1"));
  EXPECT_THAT(Take(kHit), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(ledger_.Snapshot().read, 0u);
  EXPECT_THAT(Take(R"({"query":"harmless.example.com"})"),
              StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_OK(database_->Execute("PRAGMA query_only = 0"));
  ASSERT_OK(Take(kHit));  // as the client sends it again
  EXPECT_EQ(StoredAlerts(), 1u);
  EXPECT_EQ(ledger_.Snapshot().read, 1u);
}

TEST_F(IngestTest, ListsCanBeExchanged) {
  ingest_->SetLists(nullptr);
  ASSERT_OK(Take(kHit));
  EXPECT_EQ(StoredAlerts(), 0u);
}

}  // namespace
}  // namespace nightjar::analytics_engine
