// Forms of documents that the recordings do not have: other versions, other shippers, odd ones.
#include "services/es_reader/schema/packetbeat.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "services/es_reader/schema/page_testing.h"

namespace nightjar::es_reader {
namespace {

using telemetry::v1::Event;

constexpr char kEnds[] =
    R"("@timestamp":"2026-11-24T12:00:00Z","source":{"ip":"10.0.0.1","port":1234},)"
    R"("destination":{"ip":"192.0.2.1","port":443})";

// The event of a document with kEnds and `more`.
Event Decode(const std::string& more, absl::string_view ends = kEnds) {
  CollectingSink sink;
  EXPECT_OK(PageDecoder(DecoderOptions{})
                .Decode(TestQuery(),
                        TestResponse(TestPageOf({absl::StrCat("{", ends, ",", more, "}")})), sink));
  if (sink.outcomes.size() != 1) return Event();
  EXPECT_EQ(sink.outcomes[0].reason, "") << sink.outcomes[0].detail;
  return sink.events[0];
}

TEST(ClassifyTest, ByName) {
  EXPECT_TRUE(Decode(R"("event":{"dataset":"network_traffic.tls"})").has_tls());
  EXPECT_TRUE(Decode(R"("type":"flow")").has_ip());
  EXPECT_TRUE(Decode(R"("event.dataset":"network_traffic.flow")").has_ip());
  EXPECT_TRUE(Decode(R"("type":"dhcpv4")").has_lease());
}

TEST(ClassifyTest, OtherTransactionsOfPacketbeatAreNotFlowsAsWell) {
  const Event event =
      Decode(R"("type":"mysql","event":{"dataset":"mysql"},"agent":{"type":"packetbeat"})");
  EXPECT_EQ(event.other().dataset(), "mysql");
  EXPECT_EQ(Decode(R"("event":{"dataset":"network_traffic.redis"})").other().dataset(),
            "network_traffic.redis");
}

TEST(ClassifyTest, OtherShippersByContent) {
  EXPECT_TRUE(Decode(R"("dns":{"question":{"name":"a.example"}})").has_dns());
  EXPECT_TRUE(Decode(R"("url":{"full":"http://a.example/"})").has_http());
  EXPECT_TRUE(Decode(R"("tls":{"client":{"ja3":"00"}})").has_tls());
  EXPECT_TRUE(Decode(R"("event":{"dataset":"firewall"})").has_ip());
  EXPECT_EQ(Decode(R"("event":{"dataset":"system.auth"})", R"("source":{"ip":"10.0.0.1"})")
                .other()
                .dataset(),
            "system.auth");
  EXPECT_EQ(Decode(R"("message":"x")", R"("log":"file")").other().dataset(), "unknown");
}

TEST(HeaderTest, ValuesMayComeInOtherForms) {
  const Event event = Decode(
      R"("type":"flow","source":{"ip":["198.51.100.1","2001:DB8::0001"],"port":"53","bytes":53.0,)"
      R"("mac":"AA-BB-CC-00-11-22"},"destination.ip":["192.0.2.9"],"destination":{"port":["80"]},)"
      R"("network":null,"source.packets":2,"event":{"duration":null},"host":{"name":"s"})",
      R"("@timestamp":1795521600000)");
  EXPECT_EQ(event.time_unix_nano(), 1795521600'000'000'000);
  EXPECT_EQ(event.source_ip(), "2001:db8::1") << "the innermost, in canonical form";
  EXPECT_EQ(event.source_port(), 53u);
  EXPECT_EQ(event.source_mac(), "aa:bb:cc:00:11:22");
  EXPECT_EQ(event.destination_ip(), "192.0.2.9");
  EXPECT_EQ(event.destination_port(), 80u);
  EXPECT_EQ(event.ip().bytes_out(), 53);
  EXPECT_EQ(event.ip().packets_out(), 2);
  EXPECT_FALSE(event.ip().has_bytes_in()) << "absent is not zero";
  EXPECT_FALSE(event.has_duration_nano());
  EXPECT_EQ(event.sensor_id(), "s");
}

TEST(HeaderTest, TimeAndSensorHaveFallbacks) {
  const Event event =
      Decode(R"("type":"flow","observer.name":"tap")", R"("event.end":"2026-11-24")");
  EXPECT_EQ(event.time_unix_nano(), 1795478400'000'000'000);
  EXPECT_EQ(event.sensor_id(), "tap");
  EXPECT_EQ(Decode(R"("type":"flow","agent":{"id":"a"},"host":{"name":"h"})").sensor_id(), "a");
}

TEST(FlowTest, TransportIsNeverAnApplication) {
  EXPECT_EQ(Decode(R"("network":{"transport":"TCP","protocol":"ssh"})").ip().transport(), "tcp");
  EXPECT_EQ(Decode(R"("network":{"transport":"tcp","protocol":"ssh"})").ip().application(), "ssh");
  EXPECT_EQ(Decode(R"("network":{"iana_number":"17","protocol":"dns"})").ip().transport(), "udp");
  EXPECT_EQ(Decode(R"("network":{"iana_number":47})").ip().transport(), "47");
  EXPECT_EQ(Decode(R"("network":{"protocol":"udp"})").ip().transport(), "udp");
  EXPECT_EQ(Decode(R"("network":{"protocol":"udp"})").ip().application(), "");
  EXPECT_EQ(Decode(R"("network":{"protocol":"tls"})").ip().transport(), "");
}

TEST(FlowTest, AnAnswerSeenFirstLooksReversed) {
  const auto reversed = [](const char* source, int source_port, int destination_port) {
    return Decode(R"("type":"flow")", absl::StrCat(R"("@timestamp":"2026-11-24","source":{"ip":")",
                                                   source, R"(","port":)", source_port,
                                                   R"(},"destination":{"ip":"10.0.0.1","port":)",
                                                   destination_port, "}"))
        .reversed();
  };
  EXPECT_TRUE(reversed("203.0.113.23", 443, 50000));
  EXPECT_FALSE(reversed("203.0.113.23", 50000, 443));
  EXPECT_FALSE(reversed("203.0.113.23", 123, 123));
  EXPECT_FALSE(reversed("10.0.0.2", 443, 50000)) << "a server inside";
}

TEST(FlowTest, NoFinalFieldIsUnspecified) {
  EXPECT_EQ(Decode(R"("type":"flow")").ip().state(), telemetry::v1::FLOW_STATE_UNSPECIFIED);
}

TEST(DnsTest, NamesAreUnescapedWhereThatIsPrintable) {
  const auto query = [](const char* name) {
    return Decode(absl::StrCat(R"("dns":{"question":{"name":")", name, R"("}})")).dns().query();
  };
  EXPECT_EQ(query("WWW.example."), "WWW.example");
  EXPECT_EQ(query("."), ".");
  EXPECT_EQ(query(R"(a\\064b.example)"), "a@b.example");
  EXPECT_EQ(query(R"(a\\046b.example)"), R"(a\046b.example)") << "a dot inside a label";
  EXPECT_EQ(query(R"(a\\092b\\228\\000)"), R"(a\092b\228\000)");
  EXPECT_EQ(query(R"(a\\.)"), R"(a\.)");
  EXPECT_EQ(query(R"(a\\9)"), R"(a\9)");
  EXPECT_EQ(query(R"(\u0061\u00e4.example)"), "a\xc3\xa4.example");
}

TEST(DnsTest, AnswersMayBeManyOddOrTexts) {
  std::string answers = R"({"data":"192.0.2.1","ttl":60,"type":"a"},"text",{"ttl":"x"})";
  for (int i = 0; i < 40; ++i) answers += R"(,{"data":"192.0.2.2"})";
  const Event event =
      Decode(absl::StrCat(R"("dns":{"question":{"name":"a"},"answers":[)", answers, "]}"));
  ASSERT_EQ(event.dns().answers_size(), 32);
  EXPECT_EQ(event.dns().answers(0).ttl_seconds(), 60u);
  EXPECT_EQ(event.dns().answers(0).type(), "A");
  EXPECT_EQ(event.dns().answers(1).data(), "text");
}

TEST(HttpTest, TheUrlIsPutTogetherWhereItIsNotGiven) {
  const auto url = [](const char* more) { return Decode(more).http().url(); };
  EXPECT_EQ(url(R"("url":{"full":"http://a/x","original":"/y"})"), "http://a/x");
  EXPECT_EQ(url(R"("url":{"original":"https://a/x","domain":"b"})"), "https://a/x");
  EXPECT_EQ(url(R"("url":{"original":"/x?y","domain":"a.example","port":8080})"),
            "http://a.example:8080/x?y");
  EXPECT_EQ(url(R"("url":{"scheme":"https","domain":"a.example","path":"/x","query":"y=1"})"),
            "https://a.example/x?y=1");
  EXPECT_EQ(url(R"("url":{"domain":"2001:db8::1"})"), "http://[2001:db8::1]/");
  EXPECT_EQ(url(R"("http":{"request":{"method":"get"}})"), "http://192.0.2.1/");
}

TEST(HttpTest, SecretsAreMaskedInUrlAndReferrer) {
  const Event login =
      Decode(R"("type":"http","http":{"request":{"method":"post"}},)"
             R"("url":{"full":"http://wiki.example/login?password=Hunter0&username=alice"})");
  EXPECT_EQ(login.http().url(), "http://wiki.example/login?password=***&username=alice");
  EXPECT_TRUE(login.http().url_had_secret());
  const Event event = Decode(
      R"("url":{"full":"http://a/"},"http":{"request":{"referrer":"http://u:p@b/?token=1"}})");
  EXPECT_EQ(event.http().referrer(), "http://u:***@b/?token=***");
  EXPECT_TRUE(event.http().url_had_secret());
  EXPECT_FALSE(Decode(R"("url":{"full":"http://a/?x=1"})").http().url_had_secret());
}

TEST(HttpTest, BytesAndTypeHaveFallbacks) {
  const Event event =
      Decode(R"("url":{"full":"http://a/"},"http":{"request":{"bytes":7},"response":{"bytes":9,)"
             R"("mime_type":["Text/HTML","x"]}})");
  EXPECT_EQ(event.http().bytes_out(), 7);
  EXPECT_EQ(event.http().bytes_in(), 9);
  EXPECT_EQ(event.http().content_type(), "text/html");
  EXPECT_EQ(event.http().status(), 0u);
}

TEST(TlsTest, FieldsOfPacketbeat70) {
  const Event event = Decode(
      R"("type":"tls","tls":{"version":"TLS 1.2","fingerprints":{"ja3":{"hash":"AB"}},)"
      R"("server_certificate":{)"
      R"("fingerprint":{"sha1":"cd"},"issuer":{"common_name":"i"},"subject":{"common_name":"s"},)"
      R"("not_before":"2026-11-24T00:00:00Z","not_after":"9999-12-31T23:59:59Z"}})");
  EXPECT_EQ(event.tls().version(), "1.2");
  EXPECT_EQ(event.tls().ja3(), "ab");
  EXPECT_EQ(event.tls().certificate_sha1(), "cd");
  EXPECT_EQ(event.tls().issuer(), "i");
  EXPECT_EQ(event.tls().subject(), "s");
  EXPECT_EQ(event.tls().not_before_unix_nano(), 1795478400'000'000'000);
  EXPECT_EQ(event.tls().not_after_unix_nano(), INT64_MAX);
  EXPECT_FALSE(event.tls().has_resumed());
}

TEST(TlsTest, FieldsOfPacketbeat8) {
  const Event event =
      Decode(R"("type":"tls","tls":{"version":"1.3","server":{"ja3s":"EF",)"
             R"("x509":{"issuer":{"distinguished_name":"CN=i"},)"
             R"("subject":{"distinguished_name":"CN=s"},"not_before":"2026-11-24T00:00:00Z"}}},)"
             R"("destination":{"ip":"192.0.2.1","domain":"a.example"})");
  EXPECT_EQ(event.tls().issuer(), "CN=i");
  EXPECT_EQ(event.tls().subject(), "CN=s");
  EXPECT_EQ(event.tls().ja3s(), "ef");
  EXPECT_EQ(event.tls().not_before_unix_nano(), 1795478400'000'000'000);
  EXPECT_EQ(event.tls().server_name(), "a.example");
}

TEST(IcmpTest, AnAnswerWithoutRequestHasNoRequest) {
  const Event event = Decode(
      R"("type":"icmp","icmp":{"version":4,"response":{"type":0,"code":0}},"status":"Error",)"
      R"("event":{"end":"2026-11-24T12:00:00Z"},"destination":{"ip":"192.0.2.1","bytes":99})");
  EXPECT_FALSE(event.icmp().has_request_type());
  EXPECT_TRUE(event.icmp().has_response_type());
  EXPECT_EQ(event.icmp().bytes_in(), 99);
  EXPECT_FALSE(event.icmp().has_bytes_out());
}

}  // namespace
}  // namespace nightjar::es_reader
