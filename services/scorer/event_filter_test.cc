#include "services/scorer/event_filter.h"

#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nightjar::scorer {
namespace {

using config::EngineKind;
using Emit = config::FlowsConfig::Emit;
using telemetry::v1::Event;

EventFilter MakeFilter(EngineKind kind, uint32_t threshold = 0) {
  return EventFilter(std::make_shared<const Scope>(scope::DefaultGroups(), kind),
                     std::make_shared<const signals::SignalSet>(
                         std::make_shared<signals::ListSet>(), std::vector<std::string>()),
                     FlowRules(kind == EngineKind::kNightjar ? Emit::kAll : Emit::kFinalAndLong,
                               absl::Seconds(10)),
                     kind, threshold);
}

Event Parse(const std::string& text) {
  Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

struct Case {
  const char* event;
  const char* alphasoc;  // reason; empty: goes on
  const char* nightjar;
};

TEST(EventFilterTest, EveryReasonInItsOrder) {
  const Case kCases[] = {
      {R"()", "unsupported_type", "unsupported_type"},
      {R"(other { dataset: "mysql" })", "unsupported_type", "unsupported_type"},
      {R"(source_ip: "0.0.0.0" lease { type: "discover" })", "unsupported_type", ""},
      {R"(source_ip: "10.0.0.1" destination_ip: "203.0.113.1" icmp {})", "icmp_transaction", ""},
      {R"(icmp {})", "icmp_transaction", "no_ip"},
      {R"(ip { state: FLOW_STATE_INTERIM })", "no_ip", "no_ip"},
      {R"(source_ip: "10.0.0.1" ip {})", "no_ip", "no_ip"},
      {R"(destination_ip: "203.0.113.1" ip {})", "no_ip", "no_ip"},
      {R"(source_ip: "10.0.0.1" tls {})", "no_ip", "no_ip"},
      {R"(source_ip: "10.0.0.1/8" destination_ip: "203.0.113.1" ip {})", "no_ip", "no_ip"},
      {R"(source_ip: "10.0.0.1" destination_ip: "x" ip {})", "no_ip", "no_ip"},
      {R"(dns { query: "a.example" })", "no_ip", "no_ip"},
      {R"(source_ip: "10.0.0.1" dns {})", "no_query", "no_query"},
      {R"(source_ip: "10.0.0.1" dns { query: "a.example" })", "", ""},
      {R"(source_ip: "10.0.0.1" http { url: "http://a.example/" })", "", ""},
      {R"(source_ip: "203.0.113.9" destination_ip: "203.0.113.1" ip { state: FLOW_STATE_INTERIM })",
       "flow_update", "not_in_scope"},
      {R"(source_ip: "203.0.113.9" destination_ip: "203.0.113.1" ip {})", "not_in_scope",
       "not_in_scope"},
      {R"(source_ip: "10.0.0.1" destination_ip: "10.0.0.2" ip {})", "trusted_ip", ""},
      {R"(source_ip: "10.0.0.1" dns { query: "nas.lan" })", "trusted_domain", ""},
      {R"(source_ip: "10.0.0.1" destination_ip: "203.0.113.1" ip { state: FLOW_STATE_FINAL })", "",
       ""},
      {R"(source_ip: "10.0.0.1" destination_ip: "203.0.113.1" tls {})", "", ""},
  };
  const EventFilter alphasoc = MakeFilter(EngineKind::kAlphaSoc);
  const EventFilter nightjar = MakeFilter(EngineKind::kNightjar);
  for (const Case& c : kCases) {
    Event event = Parse(c.event);
    EXPECT_EQ(alphasoc.Apply(&event), c.alphasoc) << c.event;
    event = Parse(c.event);
    EXPECT_EQ(nightjar.Apply(&event), c.nightjar) << c.event;
  }
}

TEST(EventFilterTest, WhatGoesOnHasItsScoreAndMark) {
  Event event = Parse(R"(source_ip: "10.0.0.1" dns { query: "a.top" } score { value: 99 })");
  EXPECT_EQ(MakeFilter(EngineKind::kAlphaSoc).Apply(&event), "");
  EXPECT_EQ(event.score().value(), 20u);
  ASSERT_EQ(event.score().signals_size(), 1);
  EXPECT_EQ(event.score().signals(0).name(), "bad_tld");
  EXPECT_FALSE(event.trusted());

  event = Parse(R"(source_ip: "10.0.0.1" destination_ip: "10.0.0.2" ip {})");
  EXPECT_EQ(MakeFilter(EngineKind::kNightjar).Apply(&event), "");
  EXPECT_TRUE(event.trusted());
}

TEST(EventFilterTest, TheThresholdComesLast) {
  const EventFilter filter = MakeFilter(EngineKind::kAlphaSoc, 20);
  Event low = Parse(R"(source_ip: "10.0.0.1" dns { query: "a.example" })");
  EXPECT_EQ(filter.Apply(&low), "below_threshold");
  Event enough = Parse(R"(source_ip: "10.0.0.1" dns { query: "a.top" })");
  EXPECT_EQ(filter.Apply(&enough), "");
  Event outside = Parse(R"(source_ip: "203.0.113.1" dns { query: "a.example" })");
  EXPECT_EQ(filter.Apply(&outside), "not_in_scope");
}

}  // namespace
}  // namespace nightjar::scorer
