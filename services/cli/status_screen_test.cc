#include "services/cli/status_screen.h"

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/cli/status_json.h"
#include "services/cli/status_testing.h"
#include "simdjson.h"

namespace nightjar::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

constexpr char kReader[] = R"(
  stage: 'es-reader' version: '0.1.0' started_at { seconds: 1799990000 } state: STATE_DEGRADED
  reason: 'elasticsearch: index packetbeat-old is closed'
  read_events: 1200 in_flight_events: 10 events_per_second: 123.45
  counts { outcome: OUTCOME_ACCEPTED type: 'dns' count: 1000 }
  counts { outcome: OUTCOME_FILTERED reason: 'trusted_domain' type: 'dns' count: 150 }
  counts { outcome: OUTCOME_QUARANTINED reason: 'bad_time' type: 'ip' count: 40 }
  lag { index: 'packetbeat-1' shard: 0 lag_operations: 5 }
  lag { index: 'packetbeat-1' shard: 1 lag_operations: 7 }
  activity { type: 'dns' count: 1160 last_record { seconds: 1799999997 } }
  activity { type: 'ip' count: 40 last_record { seconds: 1799990000 } }
  last_error { time { seconds: 1799999400 } text: 'search timed out' }
  peers { name: 'scorer' address: '127.0.0.1:7402' connected: false error: 'refused' }
  peers { name: 'elasticsearch' connected: false error: 'index packetbeat-old is closed' })";

constexpr char kScorer[] = R"(
  stage: 'scorer' version: '0.1.0' started_at { seconds: 1799999990 } state: STATE_READY
  read_events: 1200)";

std::vector<StageReport> Reports() {
  return {{"es-reader", "127.0.0.1:7401", ParseStatus(kReader)},
          {"scorer", "127.0.0.1:7402", ParseStatus(kScorer)},
          {"ae-forwarder", "127.0.0.1:7403", absl::UnavailableError("connection refused")}};
}

TEST(StatusScreenTest, EverythingStandsOnOneScreen) {
  std::ostringstream golden;
  golden << std::ifstream("services/cli/testdata/status.txt").rdbuf();
  EXPECT_EQ(StatusScreen(Reports(), kNow), golden.str());
}

TEST(StatusScreenTest, TextFromOutsideCannotCommandATerminal) {
  std::vector<StageReport> reports = Reports();
  reports[0].status->set_reason("bad \033[2J reason\nforged line");
  reports[0].status->mutable_lag(0)->set_index("evil\033[0m");
  reports[0].status->mutable_counts(1)->set_reason("evil\033[0m");
  reports[0].status->mutable_last_error()->set_text("evil\033[0m");
  reports[0].status->mutable_peers(0)->set_error("evil\033[0m");
  reports[2].status = absl::UnavailableError("evil\033[0m");
  EXPECT_THAT(StatusScreen(reports, kNow), Not(HasSubstr("\033")));
  EXPECT_THAT(StatusScreen(reports, kNow), HasSubstr("\\nforged line"));
}

TEST(StatusScreenTest, ManyIndicesAreSummedUpInOneLine) {
  admin::v1::StageStatus reader = ParseStatus("stage: 'es-reader' state: STATE_READY");
  for (int i = 100; i < 115; ++i) {
    admin::v1::ShardLag* const lag = reader.add_lag();
    lag->set_index(absl::StrCat("packetbeat-", i));
    lag->set_lag_operations(2);
  }
  const std::string screen = StatusScreen({{"es-reader", "127.0.0.1:7401", reader}}, kNow);
  EXPECT_THAT(screen, HasSubstr("packetbeat-109"));
  EXPECT_THAT(screen, Not(HasSubstr("packetbeat-110")));
  EXPECT_THAT(screen, HasSubstr("(5 more)             5                 10\n"));
}

TEST(StatusScreenTest, ReadyMeansThatEveryStageAnswersAndIsReady) {
  const StageReport ready{"scorer", "a:1", ParseStatus("state: STATE_READY")};
  const StageReport paused{"scorer", "a:1", ParseStatus("state: STATE_PAUSED")};
  const StageReport gone{"scorer", "a:1", absl::UnavailableError("refused")};
  EXPECT_TRUE(AllReady({ready, ready}));
  EXPECT_FALSE(AllReady({ready, paused}));
  EXPECT_FALSE(AllReady({gone, ready}));
}

TEST(StatusJsonTest, HoldsTheStatusOrTheErrorOfEveryStage) {
  std::vector<StageReport> reports = Reports();
  reports[2].status = absl::UnavailableError("a \"quoted\" word\n");
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  ASSERT_EQ(parser.parse(StatusJson(reports, kNow)).get(json), simdjson::SUCCESS);
  EXPECT_EQ(json["ready"].get_bool().value_unsafe(), false);
  EXPECT_EQ(json.at_pointer("/stages/0/status/read_events").get_string().value_unsafe(), "1200");
  EXPECT_EQ(json.at_pointer("/stages/0/status/state").get_string().value_unsafe(),
            "STATE_DEGRADED");
  EXPECT_EQ(json.at_pointer("/stages/2/error").get_string().value_unsafe(), "a \"quoted\" word\n");
  EXPECT_EQ(json.at_pointer("/types/0/silence").get_string().value_unsafe(), "");
  EXPECT_THAT(std::string(json.at_pointer("/types/3/silence").get_string().value_unsafe()),
              HasSubstr("es-reader is degraded"));
}

}  // namespace
}  // namespace nightjar::cli
