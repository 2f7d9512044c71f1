#include "services/common/analytics_api/events_encoder.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nightjar::analytics_api {
namespace {

using telemetry::v1::Event;

constexpr char kHeader[] = R"(
  time_unix_nano: 1764000000500000000 sensor_id: "s1" site: "oslo" document_id: "d1"
  source_ip: "10.0.0.1" source_port: 5000 source_mac: "aa:bb:cc:dd:ee:ff" source_host: "pc1"
  source_user: "ann" destination_ip: "192.0.2.7" destination_port: 443
  community_id: "1:abc=" flow_id: "F/1" duration_nano: 1250000000 )";

std::string Line(Dialect dialect, const std::string& text) {
  Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  EXPECT_TRUE(HasPath(dialect, event.body_case()));
  std::string out;
  AppendEventLine(dialect, "packetbeat-1", event, &out);
  return out;
}

constexpr char kHead[] =
    R"({"ts":"2025-11-24T16:00:00.5Z","srcIP":"10.0.0.1","srcPort":5000,"srcHost":"pc1",)"
    R"("srcMac":"aa:bb:cc:dd:ee:ff","srcUser":"ann","connID":"F/1",)";
constexpr char kOwn[] = R"("flowID":"F/1","communityID":"1:abc=","sensorID":"s1","site":"oslo",)"
                        R"("index":"packetbeat-1","documentID":"d1"})"
                        "\n";

TEST(EventsEncoder, DnsOfTheApiHasQueryAndTypeOnly) {
  const std::string dns = std::string(kHeader) + R"(dns { query: "a.example" query_type: "TXT"
      response_code: "NOERROR" query_bytes: 30 transport: "udp"
      answers { name: "a.example" type: "TXT" data: "\"x\"" ttl_seconds: 60 } })";
  EXPECT_EQ(Line(Dialect::kAlphaSoc, dns),
            std::string(kHead) + R"("query":"a.example","qtype":"TXT"})" + "\n");
  EXPECT_EQ(Line(Dialect::kNightjar, dns),
            std::string(kHead) +
                R"("destIP":"192.0.2.7","destPort":443,)"
                R"("query":"a.example","qtype":"TXT","rcode":"NOERROR",)"
                R"("proto":"udp","bytesOut":30,"answers":[{"name":"a.example",)"
                R"("type":"TXT","data":"\"x\"","ttl":60}],"duration":1.25,)" +
                kOwn);
}

TEST(EventsEncoder, IpKeepsZeroApartFromAbsent) {
  const std::string ip =
      std::string(kHeader) +
      R"(ip { transport: "tcp" application: "tls" bytes_in: 0 bytes_out: 74 packets_out: 1
              state: FLOW_STATE_INTERIM start_unix_nano: 1764000000000000000 })";
  const std::string common = std::string(kHead) +
                             R"("destIP":"192.0.2.7","destPort":443,"proto":"tcp","bytesIn":0,)"
                             R"("bytesOut":74,"app":"tls",)";
  EXPECT_EQ(Line(Dialect::kAlphaSoc, ip), common + "\"duration\":1.25}\n");
  EXPECT_EQ(Line(Dialect::kNightjar, ip),
            common + R"("packetsOut":1,"flowFinal":false,"flowStart":"2025-11-24T16:00:00Z",)" +
                R"("duration":1.25,)" + kOwn);
}

TEST(EventsEncoder, HttpHasTheApisNames) {
  EXPECT_EQ(Line(Dialect::kAlphaSoc, std::string(kHeader) + R"(http {
      url: "http://h/p?q=1" method: "GET" status: 404 bytes_in: 9 bytes_out: 8
      content_type: "text/html" referrer: "http://r/" user_agent: "curl" url_had_secret: true })"),
            std::string(kHead) + R"("url":"http://h/p?q=1","method":"GET","status":404,)"
                                 R"("bytesIn":9,"bytesOut":8,"contentType":"text/html",)"
                                 R"("referrer":"http://r/","userAgent":"curl"})"
                                 "\n");
}

TEST(EventsEncoder, TlsHasTheApisNames) {
  const std::string tls = std::string(kHeader) + R"(tls { certificate_sha1: "ab" issuer: "CN=i"
      subject: "CN=s" not_before_unix_nano: 1764000000000000000
      not_after_unix_nano: 1764000001000000000 ja3: "j" ja3s: "k" server_name: "h" version: "1.2"
      resumed: false } trusted: true reversed: true)";
  const std::string common =
      std::string(kHead) + R"("destIP":"192.0.2.7","destPort":443,"certHash":"ab",)"
                           R"("issuer":"CN=i","subject":"CN=s","validFrom":"2025-11-24T16:00:00Z",)"
                           R"("validTo":"2025-11-24T16:00:01Z","ja3":"j","ja3s":"k")";
  EXPECT_EQ(Line(Dialect::kAlphaSoc, tls), common + "}\n");
  std::string own = kOwn;
  own.insert(own.size() - 2, R"(,"reversed":true,"trusted":true)");
  EXPECT_EQ(
      Line(Dialect::kNightjar, tls),
      common + R"(,"serverName":"h","tlsVersion":"1.2","resumed":false,"duration":1.25,)" + own);
}

TEST(EventsEncoder, IcmpAndLeasesGoToOurOwnEngineOnly) {
  EXPECT_FALSE(HasPath(Dialect::kAlphaSoc, Event::kIcmp));
  EXPECT_FALSE(HasPath(Dialect::kAlphaSoc, Event::kLease));
  EXPECT_FALSE(HasPath(Dialect::kNightjar, Event::kOther));
  EXPECT_FALSE(HasPath(Dialect::kNightjar, Event::BODY_NOT_SET));
  EXPECT_EQ(Line(Dialect::kNightjar, R"(source_ip: "10.0.0.1" destination_ip: "10.0.0.2"
      icmp { version: 4 request_type: 8 request_code: 0 bytes_out: 56 })"),
            R"({"srcIP":"10.0.0.1","destIP":"10.0.0.2","icmpVersion":4,"requestType":8,)"
            R"("requestCode":0,"bytesOut":56,"index":"packetbeat-1"})"
            "\n");
  EXPECT_EQ(Line(Dialect::kNightjar, R"(source_ip: "10.0.0.254"
      lease { type: "ack" assigned_ip: "10.0.0.9" client_mac: "aa" host_name: "pc9"
              lease_seconds: 600 })"),
            R"({"srcIP":"10.0.0.9","srcMac":"aa","srcHost":"pc9","type":"ack","duration":600,)"
            R"("index":"packetbeat-1"})"
            "\n");
}

TEST(EventsEncoder, AnEventWithNothingIsStillOneLine) {
  EXPECT_EQ(Line(Dialect::kAlphaSoc, "dns {}"), "{\"query\":\"\"}\n");
  EXPECT_EQ(Line(Dialect::kAlphaSoc, R"(dns { query: "a\nb" })"), "{\"query\":\"a\\nb\"}\n");
}

}  // namespace
}  // namespace nightjar::analytics_api
