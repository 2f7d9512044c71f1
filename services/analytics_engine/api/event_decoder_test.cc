#include "services/analytics_engine/api/event_decoder.h"

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "services/analytics_engine/api/event_time.h"
#include "services/common/analytics_api/events_encoder.h"

namespace nightjar::analytics_engine {
namespace {

using google::protobuf::TextFormat;
using telemetry::v1::Event;

struct Decoded {
  const char* problem = nullptr;
  Event event;
  std::string index;
};

Decoded Decode(Event::BodyCase type, std::string line) {
  const size_t size = line.size();
  line.append(kPaddingBytes, ' ');
  Decoded decoded;
  EventDecoder decoder;
  decoded.problem = decoder.Decode(type, {line.data(), size}, &decoded.event, &decoded.index);
  return decoded;
}

void ExpectEvent(const Event& got, const std::string& wanted_text) {
  Event wanted;
  ASSERT_TRUE(TextFormat::ParseFromString(wanted_text, &wanted)) << wanted_text;
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(wanted, got)) << difference;
}

// What our forwarder writes of the event is read back as the same event.
void ExpectRoundTrip(const std::string& text) {
  Event event;
  ASSERT_TRUE(TextFormat::ParseFromString(text, &event)) << text;
  std::string line;
  analytics_api::AppendEventLine(analytics_api::Dialect::kNightjar, "packetbeat-1", event, &line);
  const Decoded decoded = Decode(event.body_case(), line);
  ASSERT_EQ(decoded.problem, nullptr) << decoded.problem << " in " << line;
  EXPECT_EQ(decoded.index, "packetbeat-1");
  ExpectEvent(decoded.event, text);
}

constexpr char kHeader[] = R"(
  time_unix_nano: 1764000000500000000 sensor_id: "s1" site: "oslo" document_id: "d1"
  source_ip: "10.0.0.1" source_port: 5000 source_mac: "aa:bb:cc:dd:ee:ff" source_host: "pc1"
  source_user: "ann" destination_ip: "2001:db8::7" destination_port: 443
  community_id: "1:abc=" flow_id: "F/1" duration_nano: 1250000001 reversed: true trusted: true )";

TEST(EventDecoder, DnsComesBackAsItWasSent) {
  ExpectRoundTrip(std::string(kHeader) + R"(dns { query: "a\"\\\\\n\303\251.example"
      query_type: "TXT" response_code: "NXDOMAIN" unanswered: true transport: "udp" query_bytes: 0
      response_bytes: 90
      answers { name: "a.example" type: "TXT" data: "\"x\"" ttl_seconds: 60 }
      answers { type: "A" data: "192.0.2.1" } })");
  ExpectRoundTrip("dns { query: \".\" }");
}

TEST(EventDecoder, IpComesBackAsItWasSent) {
  ExpectRoundTrip(std::string(kHeader) + R"(ip { transport: "tcp" application: "tls" bytes_in: 0
      bytes_out: 74 packets_in: 0 packets_out: 1 state: FLOW_STATE_INTERIM
      start_unix_nano: 1764000000000000000 })");
  ExpectRoundTrip("ip { state: FLOW_STATE_FINAL }");
}

TEST(EventDecoder, HttpComesBackAsItWasSent) {
  ExpectRoundTrip(std::string(kHeader) + R"(http { url: "http://h/p?q=1" method: "GET" status: 404
      bytes_in: 9 bytes_out: 8 content_type: "text/html" referrer: "http://r/" user_agent: "curl"
      url_had_secret: true })");
}

TEST(EventDecoder, TlsComesBackAsItWasSent) {
  ExpectRoundTrip(std::string(kHeader) + R"(tls { certificate_sha1: "ab" issuer: "CN=i"
      subject: "CN=s" not_before_unix_nano: 1764000000000000000
      not_after_unix_nano: 1764000001000000000 ja3: "j" ja3s: "k" server_name: "h" version: "1.2"
      resumed: false })");
}

TEST(EventDecoder, IcmpAndLeasesComeBackAsTheyWereSent) {
  ExpectRoundTrip(std::string(kHeader) + R"(icmp { version: 4 request_type: 8 request_code: 0
      response_type: 0 response_code: 0 bytes_in: 56 bytes_out: 56 })");
  ExpectRoundTrip(R"(time_unix_nano: 1764000000000000000 lease { type: "ack"
      assigned_ip: "10.0.0.9" client_mac: "aa" host_name: "pc9" lease_seconds: 600 })");
}

TEST(EventDecoder, PlainEventsOfOtherClientsAreTaken) {
  const Decoded decoded = Decode(
      Event::kIp,
      R"({"ts":"2025-11-24T18:00:00.25+02:00","srcIP":"10.0.0.1","srcHost":"","srcUser":null,)"
      R"("connID":"C1","destIP":"2001:DB8:0::1","destPort":22,"proto":"TCP","bytesIn":0,)"
      R"("action":"allowed","labels":["x"],"ja3":{"odd":1},"duration":2})");
  ASSERT_EQ(decoded.problem, nullptr) << decoded.problem;
  EXPECT_EQ(decoded.index, "");
  ExpectEvent(decoded.event, R"(time_unix_nano: 1764000000250000000 source_ip: "10.0.0.1"
      flow_id: "C1" destination_ip: "2001:db8::1" destination_port: 22 duration_nano: 2000000000
      ip { transport: "tcp" bytes_in: 0 })");
  EXPECT_FALSE(decoded.event.ip().has_bytes_out());  // absent is not zero
  ExpectEvent(Decode(Event::kDns, R"({"query":"a.example."})").event,
              "dns { query: \"a.example\" }");
  ExpectEvent(Decode(Event::kTls, "{}").event, "tls {}");
}

TEST(EventDecoder, SaysWhyALineIsRefused) {
  const auto problem = [](Event::BodyCase type, const std::string& line) -> std::string {
    const char* text = Decode(type, line).problem;
    return text == nullptr ? "none" : text;
  };
  EXPECT_EQ(problem(Event::kDns, R"({"query":"a)"), "bad_json");
  EXPECT_EQ(problem(Event::kDns, R"({"query":"a"} {"query":"b"})"), "bad_json");
  EXPECT_EQ(problem(Event::kDns, "{\"unknown\":\"\xff\"}"), "bad_json");
  EXPECT_EQ(problem(Event::kDns, std::string(5000, '[')), "bad_json");
  EXPECT_EQ(problem(Event::kDns, R"([{"query":"a"}])"), "not_an_object");
  EXPECT_EQ(problem(Event::kDns, R"({"query":7})"), "wrong_type");
  EXPECT_EQ(problem(Event::kIp, R"({"srcPort":65536})"), "wrong_type");
  EXPECT_EQ(problem(Event::kIp, R"({"bytesIn":-1})"), "wrong_type");
  EXPECT_EQ(problem(Event::kIp, R"({"duration":1e300})"), "wrong_type");
  EXPECT_EQ(problem(Event::kDns, R"({"answers":[{"ttl":"60"}]})"), "wrong_type");
  EXPECT_EQ(problem(Event::kIp, R"({"ts":"yesterday"})"), "bad_time");
  EXPECT_EQ(problem(Event::kIp, R"({"destIP":"10.0.0.1:80"})"), "bad_address");
  EXPECT_EQ(problem(Event::kIp, "{\"a\":\"" + std::string(kLineBytesMax, 'x') + "\"}"),
            "line_too_long");
}

TEST(EventTime, KnowsTheFormsOfRfc3339) {
  EXPECT_EQ(ParseEventTime("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseEventTime("2025-11-24T16:00:00.000000001Z"), 1764000000000000001);
  EXPECT_EQ(ParseEventTime("2025-11-24T16:00:00.5+00:00"), 1764000000500000000);
  EXPECT_EQ(ParseEventTime("2024-02-29T00:00:00Z"), 1709164800000000000);
  EXPECT_EQ(ParseEventTime("2023-02-29T00:00:00Z"), std::nullopt);
  EXPECT_EQ(ParseEventTime("1969-12-31T23:59:59Z"), std::nullopt);
  EXPECT_EQ(ParseEventTime("2262-01-01T00:00:00Z"), std::nullopt);
  EXPECT_EQ(ParseEventTime("2025-11-24T16:00:00.Z"), std::nullopt);
  EXPECT_EQ(ParseEventTime("2025-11-24"), std::nullopt);
  EXPECT_EQ(ParseEventTime(""), std::nullopt);
}

}  // namespace
}  // namespace nightjar::analytics_engine
