#include "services/common/analytics_api/events_encoder.h"

#include "services/common/analytics_api/json_writer.h"
#include "services/common/status/check.h"

namespace nightjar::analytics_api {
namespace {

using telemetry::v1::Event;

void Text(JsonWriter& line, absl::string_view key, const std::string& value) {
  if (!value.empty()) line.String(key, value);
}

void Number(JsonWriter& line, absl::string_view key, uint32_t value) {
  if (value != 0) line.Integer(key, value);
}

void AppendHeader(const Event& event, JsonWriter& line) {
  if (event.time_unix_nano() != 0) line.Time("ts", event.time_unix_nano());
  Text(line, "srcIP", event.source_ip());
  Number(line, "srcPort", event.source_port());
  Text(line, "srcHost", event.source_host());
  Text(line, "srcMac", event.source_mac());
  Text(line, "srcUser", event.source_user());
  Text(line, "connID", event.flow_id());
}

void AppendDestination(const Event& event, JsonWriter& line) {
  Text(line, "destIP", event.destination_ip());
  Number(line, "destPort", event.destination_port());
}

// Dns, Http, Ip and Icmp call their counters alike.
template <typename Body>
void AppendBytes(const Body& body, JsonWriter& line) {
  if (body.has_bytes_in()) line.Integer("bytesIn", body.bytes_in());
  if (body.has_bytes_out()) line.Integer("bytesOut", body.bytes_out());
}

void AppendDns(Dialect dialect, const telemetry::v1::Dns& dns, JsonWriter& line) {
  line.String("query", dns.query());
  Text(line, "qtype", dns.query_type());
  if (dialect != Dialect::kNightjar) return;
  Text(line, "rcode", dns.response_code());
  Text(line, "proto", dns.transport());
  if (dns.unanswered()) line.Bool("unanswered", true);
  if (dns.has_response_bytes()) line.Integer("bytesIn", dns.response_bytes());
  if (dns.has_query_bytes()) line.Integer("bytesOut", dns.query_bytes());
  if (dns.answers().empty()) return;
  line.BeginArray("answers");
  for (const telemetry::v1::DnsAnswer& answer : dns.answers()) {
    line.BeginElement();
    Text(line, "name", answer.name());
    Text(line, "type", answer.type());
    Text(line, "data", answer.data());
    Number(line, "ttl", answer.ttl_seconds());
    line.EndObject();
  }
  line.EndArray();
}

void AppendIp(Dialect dialect, const telemetry::v1::Ip& ip, JsonWriter& line) {
  Text(line, "proto", ip.transport());
  AppendBytes(ip, line);
  Text(line, "app", ip.application());
  if (dialect != Dialect::kNightjar) return;
  if (ip.has_packets_in()) line.Integer("packetsIn", ip.packets_in());
  if (ip.has_packets_out()) line.Integer("packetsOut", ip.packets_out());
  // A sensor that does not tell reports each flow once, when it is over.
  line.Bool("flowFinal", ip.state() != telemetry::v1::FLOW_STATE_INTERIM);
  if (ip.start_unix_nano() != 0) line.Time("flowStart", ip.start_unix_nano());
}

void AppendHttp(Dialect dialect, const telemetry::v1::Http& http, JsonWriter& line) {
  line.String("url", http.url());
  Text(line, "method", http.method());
  Number(line, "status", http.status());
  AppendBytes(http, line);
  Text(line, "contentType", http.content_type());
  Text(line, "referrer", http.referrer());
  Text(line, "userAgent", http.user_agent());
  if (dialect == Dialect::kNightjar && http.url_had_secret()) line.Bool("urlHadSecret", true);
}

void AppendTls(Dialect dialect, const telemetry::v1::Tls& tls, JsonWriter& line) {
  Text(line, "certHash", tls.certificate_sha1());
  Text(line, "issuer", tls.issuer());
  Text(line, "subject", tls.subject());
  if (tls.not_before_unix_nano() != 0) line.Time("validFrom", tls.not_before_unix_nano());
  if (tls.not_after_unix_nano() != 0) line.Time("validTo", tls.not_after_unix_nano());
  Text(line, "ja3", tls.ja3());
  Text(line, "ja3s", tls.ja3s());
  if (dialect != Dialect::kNightjar) return;
  Text(line, "serverName", tls.server_name());
  Text(line, "tlsVersion", tls.version());
  if (tls.has_resumed()) line.Bool("resumed", tls.resumed());
}

void AppendIcmp(const telemetry::v1::Icmp& icmp, JsonWriter& line) {
  Number(line, "icmpVersion", icmp.version());
  if (icmp.has_request_type()) line.Integer("requestType", icmp.request_type());
  if (icmp.has_request_code()) line.Integer("requestCode", icmp.request_code());
  if (icmp.has_response_type()) line.Integer("responseType", icmp.response_type());
  if (icmp.has_response_code()) line.Integer("responseCode", icmp.response_code());
  AppendBytes(icmp, line);
}

// The header carries the binding itself: the address, the card and the name that belong together.
void AppendLeaseLine(const Event& event, JsonWriter& line) {
  const telemetry::v1::Lease& lease = event.lease();
  if (event.time_unix_nano() != 0) line.Time("ts", event.time_unix_nano());
  Text(line, "srcIP", lease.assigned_ip());
  Text(line, "srcMac", lease.client_mac());
  Text(line, "srcHost", lease.host_name());
  Text(line, "type", lease.type());
  if (lease.type() == "release") line.Bool("termination", true);
  Number(line, "duration", lease.lease_seconds());
}

// What only our own engine understands, beyond what the single types add above.
void AppendOwnFields(absl::string_view index, const Event& event, JsonWriter& line) {
  Text(line, "flowID", event.flow_id());
  Text(line, "communityID", event.community_id());
  Text(line, "sensorID", event.sensor_id());
  Text(line, "site", event.site());
  if (!index.empty()) line.String("index", index);
  Text(line, "documentID", event.document_id());
  if (event.reversed()) line.Bool("reversed", true);
  if (event.trusted()) line.Bool("trusted", true);
}

void AppendBody(Dialect dialect, const Event& event, JsonWriter& line) {
  switch (event.body_case()) {
    case Event::kDns:
      return AppendDns(dialect, event.dns(), line);
    case Event::kIp:
      return AppendIp(dialect, event.ip(), line);
    case Event::kHttp:
      return AppendHttp(dialect, event.http(), line);
    case Event::kTls:
      return AppendTls(dialect, event.tls(), line);
    case Event::kIcmp:
      return AppendIcmp(event.icmp(), line);
    default:
      CHECK(false);  // no path: HasPath
  }
}

// API v1 gives a destination and a duration to some types only; our own engine takes both always.
bool TakesDestination(Dialect dialect, Event::BodyCase body) {
  return dialect == Dialect::kNightjar || body == Event::kIp || body == Event::kTls;
}
bool TakesDuration(Dialect dialect, Event::BodyCase body) {
  return dialect == Dialect::kNightjar || body == Event::kIp;
}

}  // namespace

bool HasPath(Dialect dialect, Event::BodyCase body) {
  switch (body) {
    case Event::kDns:
    case Event::kIp:
    case Event::kHttp:
    case Event::kTls:
      return true;
    case Event::kIcmp:
    case Event::kLease:
      return dialect == Dialect::kNightjar;
    default:
      return false;
  }
}

void AppendEventLine(Dialect dialect, absl::string_view index, const Event& event,
                     std::string* out) {
  JsonWriter line(out);
  line.BeginObject();
  if (event.body_case() == Event::kLease) {
    AppendLeaseLine(event, line);
  } else {
    AppendHeader(event, line);
    if (TakesDestination(dialect, event.body_case())) AppendDestination(event, line);
    AppendBody(dialect, event, line);
    if (event.has_duration_nano() && TakesDuration(dialect, event.body_case())) {
      line.Seconds("duration", event.duration_nano());
    }
  }
  if (dialect == Dialect::kNightjar) AppendOwnFields(index, event, line);
  line.EndObject();
  out->push_back('\n');
}

}  // namespace nightjar::analytics_api
