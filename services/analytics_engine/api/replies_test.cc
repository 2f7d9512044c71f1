#include "services/analytics_engine/api/replies.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/analytics_engine/api/alert_json.h"

namespace nightjar::analytics_engine {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Finding Tunnel() {
  Finding finding;
  finding.threat = "multiple_long_hostnames";
  finding.severity = 4;
  finding.detection = "dns_tunnel";
  finding.key = "t\".example";
  finding.domain = "t\".example";
  finding.flags = {"perplexing_host"};
  finding.evidence = {"distinct subdomain bytes in one hour", 1234, 1000, {{"i", "d", "s", ""}}};
  return finding;
}

Finding BadTld() {
  Finding finding;
  finding.threat = "bad_tld";
  finding.severity = 1;
  finding.detection = "signal";
  finding.key = "bad_tld";
  finding.flags = {"bad_tld", "perplexing_host"};
  finding.labels = {"c2:X"};
  finding.count = 3;
  return finding;
}

AlertPage PageWith(std::vector<Finding> findings) {
  AlertPage page;
  page.follow = "1-abc-1";
  page.alerts.push_back(MakeAlert("dns", R"({"query":"a"})", std::move(findings)));
  page.alerts[0].id = "u-1";
  page.alerts[0].created = absl::FromUnixMillis(1764000000500);
  return page;
}

TEST(Replies, AnAlertHasTheDocumentedForm) {
  EXPECT_THAT(
      AlertsJson(PageWith({BadTld(), Tunnel()}), false),
      StartsWith(R"({"follow":"1-abc-1","more":false,"alerts":[{"id":"u-1",)"
                 R"("created":"2025-11-24T16:00:00.5Z",)"
                 R"("eventType":"dns","event":{"query":"a"},)"
                 R"("threats":["multiple_long_hostnames","bad_tld"],)"
                 R"("wisdom":{"flags":["perplexing_host","bad_tld"],"labels":["c2:X"],)"
                 R"("domain":"t\".example"},"detections":[)"
                 R"({"id":"dns_tunnel","key":"t\".example","severity":4,)"
                 R"("threat":"multiple_long_hostnames",)"
                 R"("count":1,"measure":"distinct subdomain bytes in one hour","value":1234,)"
                 R"("threshold":1000,"samples":[{"index":"i","documentID":"d","sensorID":"s"}]},)"
                 R"({"id":"signal","key":"bad_tld","severity":1,"threat":"bad_tld","count":3,)"
                 R"("measure":"","value":0,"threshold":0,"samples":[]}],)"
                 R"("mitreAttack":["TA0010:T1048")"));
}

TEST(Replies, ThreatsAreThoseOfThePageOrAll) {
  const AlertPage page = PageWith({BadTld()});
  const std::string own = AlertsJson(page, false), all = AlertsJson(page, true);
  EXPECT_THAT(own, HasSubstr(R"("threats":{"bad_tld":{"title":)"));
  EXPECT_THAT(own, Not(HasSubstr("outbound_port_scan")));
  EXPECT_THAT(all, HasSubstr(R"("outbound_port_scan":{"title":)"));
  AlertPage empty;
  empty.follow = "f";
  EXPECT_EQ(AlertsJson(empty, false), R"({"follow":"f","more":false,"alerts":[],"threats":{}})");
}

TEST(Replies, EventsReplyNamesReasonsAndLines) {
  analytics_api::EventsReply reply;
  reply.received = 3;
  reply.accepted = 1;
  reply.rejected = {{"bad_json", 1}, {"bad_time", 1}};
  reply.rejected_lines = {{0, "bad_time"}, {2, "bad_json"}};
  EXPECT_EQ(EventsReplyJson(reply),
            R"({"received":3,"accepted":1,"rejected":{"bad_json":1,"bad_time":1},)"
            R"("rejectedLines":[{"line":0,"reason":"bad_time"},{"line":2,"reason":"bad_json"}]})");
  EXPECT_EQ(EventsReplyJson({}), R"({"received":0,"accepted":0,"rejected":{},"rejectedLines":[]})");
}

TEST(Replies, MessagesAreEscaped) {
  EXPECT_EQ(MessageJson("a \"b\"\n"), R"({"message":"a \"b\"\n"})");
}

TEST(Replies, AccountSaysWhenTheKeyEnds) {
  EXPECT_EQ(AccountJson(absl::FromUnixSeconds(0), absl::FromUnixSeconds(60), 7),
            R"({"today":"1970-01-01T00:00:00Z","registered":true,"expired":false,)"
            R"("expirationDate":"1970-01-01T00:01:00Z","endpointsSeenToday":7,"messages":[]})");
}

TEST(Replies, CataloguesAreWhole) {
  EXPECT_THAT(ThreatsJson(), HasSubstr(R"("c2_communication":{"title":"C2 communication)"));
  EXPECT_THAT(FlagsJson(), StartsWith(R"({"flags":{")"));
}

}  // namespace
}  // namespace nightjar::analytics_engine
