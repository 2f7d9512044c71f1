#include "services/cli/silence.h"

#include "gtest/gtest.h"
#include "services/cli/status_testing.h"

namespace nightjar::cli {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

std::string Reason(const std::string& status) {
  return ReasonForSilence(ParseStatus(status), "http", kNow);
}

TEST(SilenceTest, FreshRecordsThatReachTheEngineNeedNoExplanation) {
  EXPECT_EQ(Reason("state: STATE_READY read_events: 9 "
                   "activity { type: 'http' count: 9 last_record { seconds: 1799999990 } } "
                   "counts { outcome: OUTCOME_ACCEPTED type: 'http' count: 1 }"),
            "");
}

TEST(SilenceTest, ATypeThatNoDocumentHasIsToldFromAnEmptyIndex) {
  EXPECT_EQ(Reason("state: STATE_READY activity { type: 'http' }"), "no documents in the index");
  EXPECT_EQ(Reason("state: STATE_READY read_events: 70 activity { type: 'http' } "
                   "activity { type: 'dns' count: 70 }"),
            "no such documents in the index, among 70 read");
}

TEST(SilenceTest, FilteredTypesNameTheirReasonsTheMostFrequentFirst) {
  EXPECT_EQ(Reason("state: STATE_READY read_events: 9 "
                   "activity { type: 'http' count: 9 last_record { seconds: 1799999990 } } "
                   "counts { outcome: OUTCOME_FILTERED reason: 'excluded' type: 'http' count: 2 } "
                   "counts { outcome: OUTCOME_FILTERED reason: 'no_ip' type: 'dns' count: 50 } "
                   "counts { outcome: OUTCOME_FILTERED reason: 'not_in_scope' type: 'http' "
                   "count: 6 } counts { outcome: OUTCOME_REJECTED reason: 'bad_url' type: 'http' "
                   "count: 1 }"),
            "none reached the engine: filtered by not_in_scope (6), filtered by excluded (2), "
            "rejected as bad_url (1)");
}

TEST(SilenceTest, WhatTheEngineHasNotAnsweredIsInFlight) {
  EXPECT_EQ(Reason("state: STATE_READY read_events: 9 in_flight_events: 9 "
                   "activity { type: 'http' count: 9 last_record { seconds: 1799999990 } }"),
            "in flight: the engine has not answered yet");
}

TEST(SilenceTest, ADegradedReaderIsNamedFirstForOldAndMissingRecords) {
  const std::string state = "state: STATE_DEGRADED reason: 'elasticsearch: 401' ";
  EXPECT_EQ(Reason(state), "es-reader is degraded (elasticsearch: 401)");
  const std::string accepted = "counts { outcome: OUTCOME_ACCEPTED type: 'http' count: 9 } ";
  EXPECT_EQ(Reason(state + "read_events: 9 " + accepted +
                   "activity { type: 'http' count: 9 last_record { seconds: 1799999600 } }"),
            "es-reader is degraded (elasticsearch: 401); no newer documents in the index");
  EXPECT_EQ(Reason(state + "read_events: 9 " + accepted +
                   "activity { type: 'http' count: 9 last_record { seconds: 1799999990 } }"),
            "");
}

TEST(SilenceTest, ABacklogIsToldFromAnIndexWithoutNewDocuments) {
  const std::string old =
      "state: STATE_READY activity { type: 'http' count: 9 last_record { seconds: 1799999600 } } "
      "counts { outcome: OUTCOME_ACCEPTED type: 'http' count: 9 } ";
  EXPECT_EQ(Reason(old + "lag { lag_operations: 0 }"), "no newer documents in the index");
  EXPECT_EQ(Reason(old + "lag { lag_operations: 3 } lag { lag_operations: 4 }"),
            "7 operations to read");
}

TEST(SilenceTest, RecordsWithoutATimeAreNotCalledOld) {
  EXPECT_EQ(Reason("state: STATE_READY activity { type: 'http' count: 9 } "
                   "counts { outcome: OUTCOME_ACCEPTED type: 'http' count: 9 }"),
            "");
}

TEST(SilenceTest, AReaderThatCannotBeReachedIsNotAnEmptyIndex) {
  EXPECT_EQ(ReasonForSilence(absl::UnavailableError("refused"), "http", kNow),
            "es-reader cannot be reached");
}

}  // namespace
}  // namespace nightjar::cli
