#include "services/common/metrics/ledger.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::metrics {
namespace {

using telemetry::v1::Event;
using telemetry::v1::OUTCOME_ACCEPTED;
using telemetry::v1::OUTCOME_FILTERED;
using telemetry::v1::OUTCOME_QUARANTINED;
using testing::HasSubstr;

uint64_t Sum(const Ledger::Books& books) {
  uint64_t sum = 0;
  for (const auto& count : books.ended) sum += count.count();
  return sum;
}

TEST(LedgerTest, WhatIsReadHasEndedOrIsInFlight) {
  Metrics metrics;
  Ledger ledger(metrics, "scorer");
  ledger.Read("dns", 10);
  ledger.Read("ip", 5);
  ledger.Ended(OUTCOME_FILTERED, "trusted", "dns", 3);
  ledger.Ended(OUTCOME_ACCEPTED, "", "ip", 4);
  ledger.Ended(OUTCOME_FILTERED, "trusted", "dns", 1);

  const Ledger::Books books = ledger.Snapshot();
  EXPECT_EQ(books.read, 15u);
  EXPECT_EQ(books.in_flight, 7u);
  ASSERT_EQ(books.ended.size(), 2u);
  EXPECT_EQ(books.ended[0].outcome(), OUTCOME_ACCEPTED);
  EXPECT_EQ(books.ended[0].type(), "ip");
  EXPECT_EQ(books.ended[0].count(), 4u);
  EXPECT_EQ(books.ended[1].outcome(), OUTCOME_FILTERED);
  EXPECT_EQ(books.ended[1].reason(), "trusted");
  EXPECT_EQ(books.ended[1].count(), 4u);
}

TEST(LedgerTest, MetricsAgreeWithTheBooks) {
  Metrics metrics;
  Ledger ledger(metrics, "es-reader");
  ledger.Read("tls", 6);
  telemetry::v1::OutcomeCount count;
  count.set_outcome(OUTCOME_QUARANTINED);
  count.set_reason("bad_json");
  count.set_type("tls");
  count.set_count(2);
  ledger.Ended(count);
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("nightjar_events_total{outcome=\"read\",reason=\"\","
                              "stage=\"es-reader\",type=\"tls\"} 6"));
  EXPECT_THAT(text, HasSubstr("nightjar_events_total{outcome=\"quarantined\",reason=\"bad_json\","
                              "stage=\"es-reader\",type=\"tls\"} 2"));
  EXPECT_THAT(text, HasSubstr("nightjar_inflight_events{stage=\"es-reader\"} 4"));
}

TEST(LedgerTest, EverySnapshotOfABusyLedgerBalances) {
  Metrics metrics;
  Ledger ledger(metrics, "scorer");
  std::thread writer([&] {
    for (int i = 0; i < 20000; ++i) {
      ledger.Read("dns", 2);
      ledger.Ended(OUTCOME_ACCEPTED, "", "dns", 1);
    }
  });
  uint64_t read = 0;
  while (read < 40000) {
    const Ledger::Books books = ledger.Snapshot();
    ASSERT_EQ(books.read, Sum(books) + books.in_flight);
    read = books.read;
  }
  writer.join();
}

// The value of the series that begins so; 0 when there is none.
uint64_t Value(const std::string& page, const std::string& series) {
  const size_t at = page.find(series);
  return at == std::string::npos ? 0 : std::stoull(page.substr(at + series.size()));
}

TEST(LedgerTest, EveryScrapeOfABusyLedgerBalances) {
  Metrics metrics;
  Ledger ledger(metrics, "scorer");
  std::thread writer([&] {
    for (int i = 0; i < 20000; ++i) {
      ledger.Read("dns", 2);
      ledger.Ended(OUTCOME_ACCEPTED, "", "dns", 1);
    }
  });
  uint64_t read = 0;
  while (read < 40000) {
    const std::string page = metrics.Render();
    const std::string ends = "\",reason=\"\",stage=\"scorer\",type=\"dns\"} ";
    read = Value(page, "nightjar_events_total{outcome=\"read" + ends);
    ASSERT_EQ(read, Value(page, "nightjar_events_total{outcome=\"accepted" + ends) +
                        Value(page, "nightjar_inflight_events{stage=\"scorer\"} "));
  }
  writer.join();
}

TEST(LedgerDeathTest, EndingMoreThanWasReadIsOurOwnBug) {
  Metrics metrics;
  Ledger ledger(metrics, "scorer");
  ledger.Read("dns", 1);
  EXPECT_DEATH(ledger.Ended(OUTCOME_ACCEPTED, "", "dns", 2), "CHECK failed");
}

TEST(TypeNameTest, NamesEveryBody) {
  Event event;
  EXPECT_EQ(TypeName(event), "other");
  event.mutable_dns();
  EXPECT_EQ(TypeName(event), "dns");
  event.mutable_ip();
  EXPECT_EQ(TypeName(event), "ip");
  event.mutable_http();
  EXPECT_EQ(TypeName(event), "http");
  event.mutable_tls();
  EXPECT_EQ(TypeName(event), "tls");
  event.mutable_icmp();
  EXPECT_EQ(TypeName(event), "icmp");
  event.mutable_lease();
  EXPECT_EQ(TypeName(event), "lease");
  event.mutable_other();
  EXPECT_EQ(TypeName(event), "other");
}

}  // namespace
}  // namespace nightjar::metrics
