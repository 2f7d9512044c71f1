#include "services/analytics_engine/api/event_fields.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/types/span.h"
#include "services/analytics_engine/api/event_time.h"
#include "services/common/network/address.h"
#include "services/common/status/check.h"

namespace nightjar::analytics_engine {
namespace {

namespace dom = simdjson::dom;
using telemetry::v1::Dns;
using telemetry::v1::Event;
using telemetry::v1::Http;
using telemetry::v1::Icmp;
using telemetry::v1::Ip;
using telemetry::v1::Lease;
using telemetry::v1::Tls;

constexpr char kWrongType[] = "wrong_type";
constexpr char kBadTime[] = "bad_time";
constexpr char kBadAddress[] = "bad_address";

constexpr int kAnswersMax = 32;
constexpr int64_t kPortMax = 65'535;
constexpr int64_t kUint32Max = std::numeric_limits<uint32_t>::max();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr double kDurationSecondsMax = 9e9;  // what an int64 of nanoseconds holds

const char* Text(dom::element value, std::string* out) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return kWrongType;
  out->assign(text.data(), text.size());
  return nullptr;
}

const char* LowerText(dom::element value, std::string* out) {
  const char* problem = Text(value, out);
  absl::AsciiStrToLower(out);
  return problem;
}

// IPv6 comes in many forms and goes on in one, since it is part of keys.
const char* AddressText(dom::element value, std::string* out) {
  if (const char* problem = Text(value, out)) return problem;
  if (out->empty()) return nullptr;
  const auto address = network::Address::Parse(*out);
  if (!address.has_value()) return kBadAddress;
  if (out->find(':') != std::string::npos) *out = address->ToString();
  return nullptr;
}

// A whole number from 0 to `max`.
template <typename Message, typename T>
const char* Count(dom::element value, int64_t max, Message* message, void (Message::*set)(T)) {
  int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS || number < 0 || number > max) return kWrongType;
  (message->*set)(static_cast<T>(number));
  return nullptr;
}

template <typename Message>
const char* Bool(dom::element value, Message* message, void (Message::*set)(bool)) {
  bool truth = false;
  if (value.get(truth) != simdjson::SUCCESS) return kWrongType;
  (message->*set)(truth);
  return nullptr;
}

template <typename Message>
const char* Time(dom::element value, Message* message, void (Message::*set)(int64_t)) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return kWrongType;
  if (text.empty()) return nullptr;
  const auto time = ParseEventTime({text.data(), text.size()});
  if (!time.has_value()) return kBadTime;
  (message->*set)(*time);
  return nullptr;
}

const char* Seconds(dom::element value, Event* event) {
  double seconds = 0;
  if (value.get(seconds) != simdjson::SUCCESS) return kWrongType;
  if (!(seconds >= 0) || seconds > kDurationSecondsMax) return kWrongType;
  event->set_duration_nano(std::llround(seconds * 1e9));
  return nullptr;
}

const char* Answer(dom::element value, telemetry::v1::DnsAnswer* answer) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return kWrongType;
  for (const auto [key, field] : object) {
    const char* problem = nullptr;
    if (field.is_null()) continue;
    if (key == "name") problem = Text(field, answer->mutable_name());
    if (key == "type") problem = Text(field, answer->mutable_type());
    if (key == "data") problem = Text(field, answer->mutable_data());
    if (key == "ttl") {
      problem = Count(field, kUint32Max, answer, &telemetry::v1::DnsAnswer::set_ttl_seconds);
    }
    if (problem != nullptr) return problem;
  }
  return nullptr;
}

const char* Answers(dom::element value, Dns* dns) {
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return kWrongType;
  dns->clear_answers();
  for (const dom::element element : array) {
    if (dns->answers_size() >= kAnswersMax) break;
    if (const char* problem = Answer(element, dns->add_answers())) return problem;
  }
  return nullptr;
}

const char* Query(dom::element value, Dns* dns) {
  const char* problem = Text(value, dns->mutable_query());
  std::string& query = *dns->mutable_query();
  if (query.size() > 1 && query.back() == '.') query.pop_back();
  return problem;
}

const char* FlowFinal(dom::element value, Ip* ip) {
  bool final = false;
  if (value.get(final) != simdjson::SUCCESS) return kWrongType;
  ip->set_state(final ? telemetry::v1::FLOW_STATE_FINAL : telemetry::v1::FLOW_STATE_INTERIM);
  return nullptr;
}

// connID is what other clients have; flowID, where there is one, is the same and wins.
const char* ConnectionId(dom::element value, Event* event) {
  if (!event->flow_id().empty()) return nullptr;
  return Text(value, event->mutable_flow_id());
}

struct Row {
  const char* name;
  FieldSetter set;
};
using V = dom::element;
using T = FieldTarget;

constexpr Row kHeader[] = {
    {"ts", [](V v, T t) { return Time(v, &t.event, &Event::set_time_unix_nano); }},
    {"srcIP", [](V v, T t) { return AddressText(v, t.event.mutable_source_ip()); }},
    {"srcPort", [](V v, T t) { return Count(v, kPortMax, &t.event, &Event::set_source_port); }},
    {"srcHost", [](V v, T t) { return Text(v, t.event.mutable_source_host()); }},
    {"srcMac", [](V v, T t) { return LowerText(v, t.event.mutable_source_mac()); }},
    {"srcUser", [](V v, T t) { return Text(v, t.event.mutable_source_user()); }},
    {"connID", [](V v, T t) { return ConnectionId(v, &t.event); }},
    {"destIP", [](V v, T t) { return AddressText(v, t.event.mutable_destination_ip()); }},
    {"destPort",
     [](V v, T t) { return Count(v, kPortMax, &t.event, &Event::set_destination_port); }},
    {"duration", [](V v, T t) { return Seconds(v, &t.event); }},
};

// What only our own forwarder sends.
constexpr Row kOwn[] = {
    {"flowID", [](V v, T t) { return Text(v, t.event.mutable_flow_id()); }},
    {"communityID", [](V v, T t) { return Text(v, t.event.mutable_community_id()); }},
    {"sensorID", [](V v, T t) { return Text(v, t.event.mutable_sensor_id()); }},
    {"site", [](V v, T t) { return Text(v, t.event.mutable_site()); }},
    {"index", [](V v, T t) { return Text(v, &t.index); }},
    {"documentID", [](V v, T t) { return Text(v, t.event.mutable_document_id()); }},
    {"reversed", [](V v, T t) { return Bool(v, &t.event, &Event::set_reversed); }},
    {"trusted", [](V v, T t) { return Bool(v, &t.event, &Event::set_trusted); }},
};

constexpr Row kDns[] = {
    {"query", [](V v, T t) { return Query(v, t.event.mutable_dns()); }},
    {"qtype", [](V v, T t) { return Text(v, t.event.mutable_dns()->mutable_query_type()); }},
    {"rcode", [](V v, T t) { return Text(v, t.event.mutable_dns()->mutable_response_code()); }},
    {"proto", [](V v, T t) { return LowerText(v, t.event.mutable_dns()->mutable_transport()); }},
    {"unanswered", [](V v, T t) { return Bool(v, t.event.mutable_dns(), &Dns::set_unanswered); }},
    {"bytesIn",
     [](V v, T t) { return Count(v, kInt64Max, t.event.mutable_dns(), &Dns::set_response_bytes); }},
    {"bytesOut",
     [](V v, T t) { return Count(v, kInt64Max, t.event.mutable_dns(), &Dns::set_query_bytes); }},
    {"answers", [](V v, T t) { return Answers(v, t.event.mutable_dns()); }},
};

constexpr Row kIp[] = {
    {"proto", [](V v, T t) { return LowerText(v, t.event.mutable_ip()->mutable_transport()); }},
    {"app", [](V v, T t) { return Text(v, t.event.mutable_ip()->mutable_application()); }},
    {"bytesIn",
     [](V v, T t) { return Count(v, kInt64Max, t.event.mutable_ip(), &Ip::set_bytes_in); }},
    {"bytesOut",
     [](V v, T t) { return Count(v, kInt64Max, t.event.mutable_ip(), &Ip::set_bytes_out); }},
    {"packetsIn",
     [](V v, T t) { return Count(v, kInt64Max, t.event.mutable_ip(), &Ip::set_packets_in); }},
    {"packetsOut",
     [](V v, T t) { return Count(v, kInt64Max, t.event.mutable_ip(), &Ip::set_packets_out); }},
    {"flowFinal", [](V v, T t) { return FlowFinal(v, t.event.mutable_ip()); }},
    {"flowStart", [](V v, T t) { return Time(v, t.event.mutable_ip(), &Ip::set_start_unix_nano); }},
};

constexpr Row kHttp[] = {
    {"url", [](V v, T t) { return Text(v, t.event.mutable_http()->mutable_url()); }},
    {"method", [](V v, T t) { return Text(v, t.event.mutable_http()->mutable_method()); }},
    {"status",
     [](V v, T t) { return Count(v, kUint32Max, t.event.mutable_http(), &Http::set_status); }},
    {"bytesIn",
     [](V v, T t) { return Count(v, kInt64Max, t.event.mutable_http(), &Http::set_bytes_in); }},
    {"bytesOut",
     [](V v, T t) { return Count(v, kInt64Max, t.event.mutable_http(), &Http::set_bytes_out); }},
    {"contentType",
     [](V v, T t) { return Text(v, t.event.mutable_http()->mutable_content_type()); }},
    {"referrer", [](V v, T t) { return Text(v, t.event.mutable_http()->mutable_referrer()); }},
    {"userAgent", [](V v, T t) { return Text(v, t.event.mutable_http()->mutable_user_agent()); }},
    {"urlHadSecret",
     [](V v, T t) { return Bool(v, t.event.mutable_http(), &Http::set_url_had_secret); }},
};

constexpr Row kTls[] = {
    {"certHash",
     [](V v, T t) { return LowerText(v, t.event.mutable_tls()->mutable_certificate_sha1()); }},
    {"issuer", [](V v, T t) { return Text(v, t.event.mutable_tls()->mutable_issuer()); }},
    {"subject", [](V v, T t) { return Text(v, t.event.mutable_tls()->mutable_subject()); }},
    {"validFrom",
     [](V v, T t) { return Time(v, t.event.mutable_tls(), &Tls::set_not_before_unix_nano); }},
    {"validTo",
     [](V v, T t) { return Time(v, t.event.mutable_tls(), &Tls::set_not_after_unix_nano); }},
    {"ja3", [](V v, T t) { return LowerText(v, t.event.mutable_tls()->mutable_ja3()); }},
    {"ja3s", [](V v, T t) { return LowerText(v, t.event.mutable_tls()->mutable_ja3s()); }},
    {"serverName", [](V v, T t) { return Text(v, t.event.mutable_tls()->mutable_server_name()); }},
    {"tlsVersion", [](V v, T t) { return Text(v, t.event.mutable_tls()->mutable_version()); }},
    {"resumed", [](V v, T t) { return Bool(v, t.event.mutable_tls(), &Tls::set_resumed); }},
};

constexpr Row kIcmp[] = {
    {"icmpVersion",
     [](V v, T t) { return Count(v, kUint32Max, t.event.mutable_icmp(), &Icmp::set_version); }},
    {"requestType",
     [](V v, T t) {
       return Count(v, kUint32Max, t.event.mutable_icmp(), &Icmp::set_request_type);
     }},
    {"requestCode",
     [](V v, T t) {
       return Count(v, kUint32Max, t.event.mutable_icmp(), &Icmp::set_request_code);
     }},
    {"responseType",
     [](V v, T t) {
       return Count(v, kUint32Max, t.event.mutable_icmp(), &Icmp::set_response_type);
     }},
    {"responseCode",
     [](V v, T t) {
       return Count(v, kUint32Max, t.event.mutable_icmp(), &Icmp::set_response_code);
     }},
    {"bytesIn",
     [](V v, T t) { return Count(v, kInt64Max, t.event.mutable_icmp(), &Icmp::set_bytes_in); }},
    {"bytesOut",
     [](V v, T t) { return Count(v, kInt64Max, t.event.mutable_icmp(), &Icmp::set_bytes_out); }},
};

// A lease's header is the binding itself.
constexpr Row kLease[] = {
    {"srcIP",
     [](V v, T t) { return AddressText(v, t.event.mutable_lease()->mutable_assigned_ip()); }},
    {"srcMac",
     [](V v, T t) { return LowerText(v, t.event.mutable_lease()->mutable_client_mac()); }},
    {"srcHost", [](V v, T t) { return Text(v, t.event.mutable_lease()->mutable_host_name()); }},
    {"type", [](V v, T t) { return LowerText(v, t.event.mutable_lease()->mutable_type()); }},
    {"duration",
     [](V v, T t) {
       return Count(v, kUint32Max, t.event.mutable_lease(), &Lease::set_lease_seconds);
     }},
};

const char* AnyText(V value, T) { return value.is_string() ? nullptr : kWrongType; }

// What clients of API v1 send and read, and no detector looks at.
constexpr Row kUnused[] = {{"srcID", AnyText}, {"action", AnyText}};

FieldTable Table(absl::Span<const Row> body) {
  FieldTable table;
  // The body first, as a name that stands keeps its row: a lease has its own binding.
  for (const absl::Span<const Row> rows :
       {body, absl::MakeConstSpan(kHeader), absl::MakeConstSpan(kOwn)}) {
    for (const Row& row : rows) table.emplace(row.name, row.set);
  }
  return table;
}

}  // namespace

const FieldTable& FieldsOf(Event::BodyCase type) {
  static const FieldTable* const kTables = new FieldTable[6]{
      Table(kDns), Table(kIp), Table(kHttp), Table(kTls), Table(kIcmp), Table(kLease)};
  CHECK(type >= Event::kDns && type <= Event::kLease);
  return kTables[type - Event::kDns];
}

const FieldTable& AllFields() {
  static const FieldTable* const kAll = [] {
    auto* all = new FieldTable(Table(kUnused));
    for (int type = Event::kDns; type <= Event::kLease; ++type) {
      const FieldTable& fields = FieldsOf(static_cast<Event::BodyCase>(type));
      all->insert(fields.begin(), fields.end());
    }
    return all;
  }();
  return *kAll;
}

}  // namespace nightjar::analytics_engine
