#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/alert_poller/formats/cef.h"
#include "services/alert_poller/formats/formats_testing.h"
#include "services/alert_poller/formats/gelf.h"
#include "services/alert_poller/formats/nfr_json.h"

namespace nightjar::alert_poller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(NfrJsonTest, KeysComeInNfrsOrderAndThreatsById) {
  EXPECT_EQ(EncodeNfrJson(DnsAlert()),
            R"({"severity":5,"threats":{"c2_communication":{"severity":5,)"
            R"("desc":"C2 | communication"},"young_domain":{"severity":2,"desc":"Young domain",)"
            R"("policy":true}},"flags":["c2","young_domain"],"labels":["c2:TrickBot"],)"
            R"("groups":[{"label":"office","desc":"The office"}],"eventType":"dns",)"
            R"("ts":"2026-11-24T12:00:00.5Z","srcIP":"10.1.0.7","srcPort":5353,"srcHost":"pc-7",)"
            R"("query":"x.example.com","qtype":"TXT"})");
}

TEST(NfrJsonTest, WhatIsEmptyIsNullOrLeftOutAsInNfr) {
  EXPECT_EQ(EncodeNfrJson(IpAlert()),
            R"({"severity":3,"threats":{"irc":{"severity":3,"desc":"IRC"}},"flags":null,)"
            R"("groups":null,"eventType":"ip","ts":"2026-11-24T12:00:00Z","srcIP":"10.1.0.7",)"
            R"("srcPort":40000,"bytesIn":100,"bytesOut":2000,"destIP":"203.0.113.9",)"
            R"("destPort":6667,"proto":"tcp"})");
}

TEST(NfrJsonTest, HttpFieldsComeLast) {
  const std::string line = EncodeNfrJson(AlertOf(R"(
      id: "content-3" event_type: "http" threats { id: "t" title: "T" severity: 1 }
      event { url: "http://a/\"b" method: "GET" status: 200 action: "allowed"
              content_type: "text/html" referrer: "r" user_agent: "u" ja3: "j" })"));
  EXPECT_THAT(line, HasSubstr(R"("srcIP":"","ja3":"j","url":"http://a/\"b","method":"GET",)"
                              R"("status":200,"action":"allowed","contentType":"text/html",)"
                              R"("referrer":"r","userAgent":"u"})"));
}

TEST(NfrJsonTest, TheEnginesExplanationFollowsBehindNfrsKeys) {
  EXPECT_THAT(
      EncodeNfrJson(ExplainedAlert()),
      HasSubstr(R"("proto":"tcp","id":"7b1","mitreAttack":["TA0010:T1048"],"detections":[{)"
                R"("id":"port_scan","key":"a=b","severity":4,"measure":"targets","value":30.5,)"
                R"("threshold":10,"samples":[{"index":"pb-1","documentID":"d1","sensorID":"s1",)"
                R"("site":"hq"},{"index":"pb-1","documentID":"d2"}]}]})"));
}

TEST(CefTest, OneLineAThreatWithEscapedHeader) {
  const std::string extensions =
      "app=dns rt=Nov 24 2026 12:00:00.500 UTC src=10.1.0.7 cs1=c2,young_domain cs1Label=flags "
      "cs2=office cs2Label=groups query=x.example.com requestMethod=TXT";
  EXPECT_THAT(
      EncodeCef(DnsAlert(), "0.1"),
      ElementsAre("CEF:0|AlphaSOC|NFR|0.1|young_domain|Young domain|4|" + extensions,
                  "CEF:0|AlphaSOC|NFR|0.1|c2_communication|C2 \\| communication|10|" + extensions));
}

TEST(CefTest, AFlowHasItsOwnKeysAndTheExplanationBehindThem) {
  EXPECT_THAT(EncodeCef(ExplainedAlert(), "0.1"),
              ElementsAre("CEF:0|AlphaSOC|NFR|0.1|irc|IRC|6|app=ip rt=Nov 24 2026 12:00:00.000 UTC "
                          "src=10.1.0.7 spt=40000 dst=203.0.113.9 dpt=6667 proto=tcp in=100 "
                          "out=2000 externalId=7b1 cs3=pb-1/d1,pb-1/d2 cs3Label=documents"));
}

TEST(CefTest, ATextFromOutsideCannotForgeAKeyOrALine) {
  alerts::v1::Alert alert = DnsAlert();
  alert.mutable_event()->set_query("a=b\nCEF:0|\\");
  EXPECT_THAT(EncodeCef(alert, "0.1")[0], HasSubstr("query=a\\=b\\nCEF:0|\\\\ requestMethod"));
}

TEST(GelfTest, OneMessageAThreatWithEveryFieldOfNfr) {
  alerts::v1::Alert alert = IpAlert();
  alert.mutable_event()->clear_destination_ip();
  EXPECT_THAT(
      EncodeGelf(alert, {"sensor-1", "0.1", 4}, absl::FromUnixSeconds(1795521700)),
      ElementsAre(R"({"version":"1.1","host":"sensor-1","short_message":"IRC","full_message":"",)"
                  R"("timestamp":1795521700,"level":4,"_severity":3,"_policy":"false","_flags":"",)"
                  R"("_threat":"irc","_engine_agent":"AlphaSOC NFR/0.1",)"
                  R"("_original_event":"2026-11-24 12:00:00 +0000 UTC","_src_ip":"10.1.0.7",)"
                  R"("_query":"","_record_type":"","_protocol":"tcp","_src_port":40000,)"
                  R"("_dest_ip":null,"_dest_port":6667,"_bytes_in":100,"_bytes_out":2000,)"
                  R"("_ja3":""})"));
}

}  // namespace
}  // namespace nightjar::alert_poller
