#include "services/common/analytics_api/alerts_reply.h"

#include <string>

#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<AlertsPage> Parse(const std::string& body,
                                 absl::string_view content_type = "application/json") {
  std::string padded = body;
  padded.append(64, '\0');
  return ParseAlertsReply(content_type, absl::string_view(padded.data(), body.size()));
}

constexpr char kPage[] = R"({"follow":"6-8263d641","more":true,"after":"x","alerts":[
  {"id":"a-1","eventType":"dns","unknown":{"x":[1]},
   "event":{"ts":"2026-11-24T12:00:00.5Z","srcIP":"10.1.0.7","srcPort":5353,"query":"x.example.com",
            "qtype":"TXT","bytesIn":null},
   "threats":["young_domain","c2_communication"],
   "wisdom":{"flags":["c2","young_domain"],"labels":["c2:TrickBot"],"domain":"example.com"},
   "detections":[{"id":"dns_tunnel","key":"example.com","severity":4,"measure":"bytes","value":1200,
     "threshold":1000,"samples":[{"index":"pb-1","documentID":"d1","sensorID":"s","site":"hq"}]}],
   "mitreAttack":["TA0010:T1048"]}],
  "threats":{"c2_communication":{"title":"C2 communication","severity":5,"policy":false},
             "young_domain":{"title":"Young domain","severity":2,"policy":true}}})";

TEST(AlertsReplyTest, APageIsReadWithEveryFieldOfTheApi) {
  const auto page = Parse(kPage);
  ASSERT_OK(page);
  EXPECT_EQ(page->follow, "6-8263d641");
  EXPECT_TRUE(page->more);
  ASSERT_EQ(page->alerts.size(), 1u);
  const alerts::v1::Alert& alert = page->alerts[0];
  EXPECT_EQ(alert.id(), "a-1");
  EXPECT_TRUE(HasEngineId(alert));
  EXPECT_EQ(alert.event_type(), "dns");
  EXPECT_EQ(alert.event().time().nanos(), 500'000'000);
  EXPECT_EQ(alert.event().source_port(), 5353u);
  EXPECT_EQ(alert.event().query(), "x.example.com");
  ASSERT_EQ(alert.threats_size(), 2);
  EXPECT_EQ(alert.threats(0).id(), "c2_communication") << "strongest first";
  EXPECT_EQ(alert.threats(0).severity(), 5u);
  EXPECT_TRUE(alert.threats(1).policy());
  EXPECT_THAT(alert.wisdom().labels(), ElementsAre("c2:TrickBot"));
  EXPECT_EQ(alert.detections(0).value(), 1200);
  EXPECT_EQ(alert.detections(0).samples(0).document_id(), "d1");
  EXPECT_THAT(alert.mitre_attack(), ElementsAre("TA0010:T1048"));
}

TEST(AlertsReplyTest, AnAlertWithoutIdGetsTheSameOneEachTimeAndAnotherForOtherContent) {
  const auto id = [](const std::string& query) {
    const auto page = Parse(R"({"follow":"1","alerts":[{"eventType":"dns","event":{"query":")" +
                            query + R"("},"threats":["t"]}]})");
    return page.ok() ? page->alerts.at(0).id() : page.status().ToString();
  };
  EXPECT_THAT(id("a.example"), testing::StartsWith("content-"));
  EXPECT_EQ(id("a.example"), id("a.example"));
  EXPECT_NE(id("a.example"), id("b.example"));
}

TEST(AlertsReplyTest, TheOlderWisdomNamesItsFamilyToo) {
  const auto page =
      Parse(R"({"follow":"1","alerts":[{"threats":["c2"],"wisdom":{"c2Proto":"DarkComet"}}]})");
  ASSERT_OK(page);
  EXPECT_THAT(page->alerts[0].wisdom().labels(), ElementsAre("c2:DarkComet"));
}

TEST(AlertsReplyTest, ThreatsThatAreNotDescribedOrMissingStillMakeAnAlert) {
  const auto page = Parse(R"({"follow":"1","alerts":[{"threats":["odd"]},{"eventType":"ip"}]})");
  ASSERT_OK(page);
  EXPECT_EQ(page->alerts[0].threats(0).title(), "odd");
  EXPECT_EQ(page->alerts[1].threats(0).id(), "unnamed");
}

TEST(AlertsReplyTest, AnEmptyPageIsAPage) {
  const auto page = Parse(R"({"follow":"7","more":false,"alerts":null,"threats":null})");
  ASSERT_OK(page);
  EXPECT_TRUE(page->alerts.empty());
  EXPECT_FALSE(page->more);
}

TEST(AlertsReplyTest, WhatIsNoPageIsRefusedWithTheReason) {
  const struct {
    std::string body;
    std::string problem;
  } kCases[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {R"({"follow":"1","alerts":[)", "not a JSON object"},
      {"{}", "neither `alerts` nor `follow`"},
      {R"({"follow":7,"alerts":[]})", "`follow` is not a text"},
      {R"({"follow":"1","more":"yes","alerts":[]})", "`more` is not true or false"},
      {R"({"follow":"1","alerts":{}})", "`alerts` is not a list"},
      {R"({"follow":"1","alerts":[1]})", "not an object"},
      {R"({"follow":"1","alerts":[{"threats":"c2"}]})", "alert 0: `threats` is not a list"},
      {R"({"follow":"1","alerts":[{"threats":[1]}]})", "`threats` is not a list of texts"},
      {R"({"follow":"1","alerts":[{},{"event":{"srcPort":"53"}}]})",
       "alert 1: in `event` `srcPort` is not a whole number"},
      {R"({"follow":"1","alerts":[{"event":{"srcPort":-1}}]})", "`srcPort` is not a number in"},
      {R"({"follow":"1","alerts":[{"event":{"ts":"today"}}]})", "`ts` is not a time"},
      {R"({"follow":"1","alerts":[{"event":{"ts":"infinite-future"}}]})", "`ts` is not a time"},
      {R"({"follow":")" + std::string(1025, 'x') + R"(","alerts":[]})", "over 1024 bytes"},
  };
  for (const auto& test : kCases) {
    EXPECT_THAT(Parse(test.body), StatusIs(absl::StatusCode::kUnavailable, HasSubstr(test.problem)))
        << test.body;
  }
  EXPECT_THAT(Parse("{}", "text/html"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("HTML")));
}

TEST(AlertsReplyTest, LongTextsAreCutBetweenCharacters) {
  std::string url = "http://example.com/";
  while (url.size() < 10'000) url += "\xC3\xA4";
  const auto page =
      Parse(R"({"follow":"1","alerts":[{"threats":["t"],"event":{"url":")" + url + R"("}}]})");
  ASSERT_OK(page);
  EXPECT_EQ(page->alerts[0].event().url(), url.substr(0, 4095));
}

}  // namespace
}  // namespace nightjar::analytics_api
