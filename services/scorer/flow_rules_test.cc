#include "services/scorer/flow_rules.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace nightjar::scorer {
namespace {

using Emit = config::FlowsConfig::Emit;
using telemetry::v1::Event;

Event Report(absl::Duration age, telemetry::v1::FlowState state) {
  Event event;
  event.mutable_ip()->set_state(state);
  event.mutable_ip()->set_start_unix_nano(1'000'000'000);
  event.set_time_unix_nano(1'000'000'000 + absl::ToInt64Nanoseconds(age));
  return event;
}

Event Interim(absl::Duration age) { return Report(age, telemetry::v1::FLOW_STATE_INTERIM); }

TEST(FlowRulesTest, FinalReportsAlwaysLeave) {
  for (const Emit emit : {Emit::kFinal, Emit::kFinalAndLong, Emit::kAll}) {
    const FlowRules rules(emit, absl::Seconds(10));
    EXPECT_TRUE(rules.Leaves(Report(absl::Seconds(5), telemetry::v1::FLOW_STATE_FINAL)));
    EXPECT_TRUE(rules.Leaves(Report(absl::Seconds(5), telemetry::v1::FLOW_STATE_UNSPECIFIED)));
  }
}

TEST(FlowRulesTest, FinalHoldsBackEveryInterimReport) {
  const FlowRules rules(Emit::kFinal, absl::Seconds(10));
  EXPECT_FALSE(rules.Leaves(Interim(absl::Seconds(5))));
  EXPECT_FALSE(rules.Leaves(Interim(absl::Minutes(10))));
}

TEST(FlowRulesTest, AllHoldsBackNone) {
  EXPECT_TRUE(FlowRules(Emit::kAll, absl::Seconds(10)).Leaves(Interim(absl::Seconds(5))));
}

TEST(FlowRulesTest, FinalAndLongLetsOneReportInTenMinutesPass) {
  const FlowRules rules(Emit::kFinalAndLong, absl::Seconds(10));
  EXPECT_FALSE(rules.Leaves(Interim(absl::Seconds(0))));
  EXPECT_FALSE(rules.Leaves(Interim(absl::Seconds(599))));
  EXPECT_TRUE(rules.Leaves(Interim(absl::Seconds(600))));
  EXPECT_TRUE(rules.Leaves(Interim(absl::Seconds(609.9))));
  EXPECT_FALSE(rules.Leaves(Interim(absl::Seconds(610))));
  EXPECT_FALSE(rules.Leaves(Interim(absl::Seconds(1199))));
  EXPECT_TRUE(rules.Leaves(Interim(absl::Seconds(1205))));
}

TEST(FlowRulesTest, AFlowWithoutAStartHasNoAge) {
  Event event = Interim(absl::Seconds(600));
  event.mutable_ip()->clear_start_unix_nano();
  EXPECT_FALSE(FlowRules(Emit::kFinalAndLong, absl::Seconds(10)).Leaves(event));
}

TEST(FlowRulesTest, AClockThatWentBackIsNoLongFlow) {
  EXPECT_FALSE(
      FlowRules(Emit::kFinalAndLong, absl::Seconds(10)).Leaves(Interim(absl::Minutes(-20))));
}

// Reports that a sensor really made, by flow.
std::map<std::string, std::vector<Event>> Recording() {
  std::map<std::string, std::vector<Event>> flows;
  std::ifstream file("services/scorer/testdata/flow_reports.csv");
  for (std::string line; std::getline(file, line);) {
    if (line[0] == '#') continue;
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    Event event;
    int64_t start = 0, time = 0;
    EXPECT_EQ(fields.size(), 4u) << line;
    EXPECT_TRUE(absl::SimpleAtoi(fields[1], &start) && absl::SimpleAtoi(fields[2], &time)) << line;
    event.set_time_unix_nano(time);
    event.mutable_ip()->set_start_unix_nano(start);
    event.mutable_ip()->set_state(fields[3] == "final" ? telemetry::v1::FLOW_STATE_FINAL
                                                       : telemetry::v1::FLOW_STATE_INTERIM);
    flows[fields[0]].push_back(event);
  }
  return flows;
}

TEST(FlowRulesTest, NoLongFlowOfARecordingIsMissed) {
  // The recorded flows live for up to eight minutes, so the interval is a minute here.
  const absl::Duration interval = absl::Minutes(1);
  const FlowRules rules(Emit::kFinalAndLong, absl::Seconds(10), interval);
  int64_t intervals = 0, interim_reports = 0, left = 0;
  const auto flows = Recording();
  for (const auto& [id, reports] : flows) {
    int64_t oldest = 0, left_of_flow = 0;
    for (const Event& report : reports) {
      if (report.ip().state() == telemetry::v1::FLOW_STATE_FINAL) continue;
      ++interim_reports;
      oldest = std::max(oldest, report.time_unix_nano() - report.ip().start_unix_nano());
      left_of_flow += rules.Leaves(report);
    }
    EXPECT_GE(left_of_flow, absl::Nanoseconds(oldest) / interval) << id;
    intervals += absl::Nanoseconds(oldest) / interval;
    left += left_of_flow;
  }
  EXPECT_EQ(flows.size(), 17u);
  EXPECT_EQ(intervals, 37);
  EXPECT_EQ(left, 37);  // none missed, none twice
  EXPECT_EQ(interim_reports, 284);
}

}  // namespace
}  // namespace nightjar::scorer
