#include "services/ae_forwarder/body_result.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::ae_forwarder {
namespace {

using analytics_api::EventsReply;
using telemetry::v1::OUTCOME_ACCEPTED;
using telemetry::v1::OUTCOME_QUARANTINED;
using telemetry::v1::OUTCOME_REJECTED;
using testing::ElementsAre;
using testing::Pair;

// How many lines ended as "outcome reason".
std::map<std::string, int> Counts(const BodyResult& result) {
  std::map<std::string, int> counts;
  for (size_t i = 0; i < result.lines(); ++i) {
    const auto& end = result.end(i);
    ++counts[std::to_string(end.outcome) + " " + end.reason];
  }
  return counts;
}

TEST(BodyResult, ADeliveredBodyIsAcceptedWhole) {
  BodyResult result(3);
  EXPECT_FALSE(result.ended(0));
  result.ApplyReply({0, 1, 2}, EventsReply{3, 3, {}, {}});
  EXPECT_THAT(Counts(result), ElementsAre(Pair("1 ", 3)));
}

TEST(BodyResult, NamedLinesGetTheRejectionAndTotalsAreExact) {
  BodyResult result(4);
  result.ApplyReply({0, 1, 2, 3}, EventsReply{4, 2, {{"bad_time", 2}}, {{1, "bad_time"}}});
  EXPECT_EQ(result.end(1).outcome, OUTCOME_REJECTED);
  EXPECT_EQ(result.end(0).outcome, OUTCOME_ACCEPTED);
  EXPECT_EQ(result.end(3).reason, "bad_time");
  EXPECT_THAT(Counts(result), ElementsAre(Pair("1 ", 2), Pair("3 bad_time", 2)));
}

TEST(BodyResult, WhatTheEngineDoesNotExplainIsRejectedUnexplained) {
  BodyResult result(5);
  result.ApplyReply({0, 1, 2, 3, 4}, EventsReply{5, 2, {{"bad_time", 1}}, {}});
  EXPECT_THAT(Counts(result),
              ElementsAre(Pair("1 ", 2), Pair("3 bad_time", 1), Pair("3 unexplained", 2)));
}

TEST(BodyResult, LinesThatContradictTheTotalsAreIgnored) {
  BodyResult result(2);
  result.ApplyReply({0, 1},
                    EventsReply{2, 1, {{"a", 1}}, {{0, "a"}, {0, "a"}, {1, "a"}, {1, "b"}}});
  EXPECT_EQ(result.end(0).reason, "a");
  EXPECT_EQ(result.end(1).outcome, OUTCOME_ACCEPTED);
}

TEST(BodyResult, PartsOfABodyEndOnTheirOwn) {
  BodyResult result(4);
  result.ApplyReply({2, 3}, EventsReply{2, 1, {{"a", 1}}, {{1, "a"}}});
  result.Set(0, OUTCOME_QUARANTINED, "engine_refused");
  EXPECT_FALSE(result.ended(1));
  EXPECT_EQ(result.end(3).outcome, OUTCOME_REJECTED);
  EXPECT_THAT(Counts(result), ElementsAre(Pair("0 ", 1), Pair("1 ", 1), Pair("3 a", 1),
                                          Pair("4 engine_refused", 1)));
}

}  // namespace
}  // namespace nightjar::ae_forwarder
