#include "services/common/analytics_api/alerts_reply.h"

#include <xxhash.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "simdjson.h"

namespace nightjar::analytics_api {
namespace {

namespace dom = simdjson::dom;
using alerts::v1::Alert;

constexpr size_t kTextBytesMax = 4096;
constexpr size_t kListMax = 64;
constexpr size_t kIdBytesMax = 256;
constexpr absl::string_view kContentIdPrefix = "content-";
// Times that fit into int64 nanoseconds with room to spare: years 1685 to 2255.
constexpr int64_t kUnixSecondsMax = 9'000'000'000;

absl::Status NoAnswer(absl::string_view problem) {
  return absl::UnavailableError(absl::StrCat("engine's reply is no page of alerts: ", problem));
}

// Cut between characters; simdjson has checked that it is UTF-8.
std::string Cut(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

// Reads typed members of one JSON object. An absent or null one leaves the target as it is; the
// first of a wrong type is remembered in `problem`.
class Members {
 public:
  Members(dom::object object, absl::string_view where, std::string* problem)
      : object_(object), where_(where), problem_(*problem) {}

  // The member, unless it is absent or null.
  bool Find(const char* key, dom::element* element) const {
    return object_[key].get(*element) == simdjson::SUCCESS && !element->is_null();
  }
  void Text(const char* key, std::string* out, size_t bytes_max = kTextBytesMax) const {
    std::string_view text;
    if (Get(key, "a text", &text)) *out = Cut(text, bytes_max);
  }
  void Bool(const char* key, bool* out) const { Get(key, "true or false", out); }
  template <typename Integer>
  void Number(const char* key, Integer* out) const {
    int64_t value = 0;
    if (!Get(key, "a whole number", &value)) return;
    const int64_t max = std::min<uint64_t>(std::numeric_limits<Integer>::max(),
                                           std::numeric_limits<int64_t>::max());
    if (value < 0 || value > max) return Fail(key, "a number in its range");
    *out = static_cast<Integer>(value);
  }
  void Real(const char* key, double* out) const { Get(key, "a number", out); }
  bool Object(const char* key, dom::object* out) const { return Get(key, "an object", out); }
  bool Array(const char* key, dom::array* out) const { return Get(key, "a list", out); }
  template <typename Add>
  void Texts(const char* key, const Add& add) const {
    dom::array list;
    if (!Array(key, &list)) return;
    size_t count = 0;
    for (const dom::element item : list) {
      std::string_view text;
      if (item.get(text) != simdjson::SUCCESS) return Fail(key, "a list of texts");
      if (count++ < kListMax) add(Cut(text, kTextBytesMax));
    }
  }
  void Time(const char* key, google::protobuf::Timestamp* out) const {
    std::string text;
    Text(key, &text);
    if (text.empty()) return;
    absl::Time time;
    std::string error;
    if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
      return Fail(key, "a time of RFC 3339");
    }
    const int64_t seconds = absl::ToUnixSeconds(time);
    if (seconds < -kUnixSecondsMax || seconds > kUnixSecondsMax) {
      return Fail(key, "a time of our centuries");
    }
    out->set_seconds(seconds);
    out->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  }
  void Fail(absl::string_view key, absl::string_view wanted) const {
    if (problem_.empty()) problem_ = absl::StrCat(where_, "`", key, "` is not ", wanted);
  }

 private:
  template <typename T>
  bool Get(const char* key, absl::string_view wanted, T* out) const {
    dom::element element;
    if (!Find(key, &element)) return false;
    if (element.get(*out) == simdjson::SUCCESS) return true;
    Fail(key, wanted);
    return false;
  }

  const dom::object object_;
  const absl::string_view where_;
  std::string& problem_;
};

void ReadEvent(const Members& in, alerts::v1::SourceEvent* out) {
  if (dom::element time; in.Find("ts", &time)) in.Time("ts", out->mutable_time());
  const auto number = [&in](const char* key, auto set) {
    uint32_t value = 0;
    in.Number(key, &value);
    set(value);
  };
  const auto bytes = [&in](const char* key) {
    int64_t value = 0;
    in.Number(key, &value);
    return value;
  };
  in.Text("srcIP", out->mutable_source_ip());
  number("srcPort", [out](uint32_t port) { out->set_source_port(port); });
  in.Text("srcHost", out->mutable_source_host());
  in.Text("srcMac", out->mutable_source_mac());
  in.Text("srcUser", out->mutable_source_user());
  in.Text("srcID", out->mutable_source_id());
  in.Text("connID", out->mutable_connection_id());
  out->set_bytes_in(bytes("bytesIn"));
  out->set_bytes_out(bytes("bytesOut"));
  in.Text("query", out->mutable_query());
  in.Text("qtype", out->mutable_query_type());
  in.Text("destIP", out->mutable_destination_ip());
  number("destPort", [out](uint32_t port) { out->set_destination_port(port); });
  in.Text("proto", out->mutable_transport());
  in.Text("ja3", out->mutable_ja3());
  in.Text("url", out->mutable_url());
  in.Text("method", out->mutable_method());
  number("status", [out](uint32_t status) { out->set_status(status); });
  in.Text("action", out->mutable_action());
  in.Text("contentType", out->mutable_content_type());
  in.Text("referrer", out->mutable_referrer());
  in.Text("userAgent", out->mutable_user_agent());
  double duration = 0;
  in.Real("duration", &duration);
  out->set_duration(duration);
  in.Text("app", out->mutable_application());
  in.Text("certHash", out->mutable_certificate_sha1());
  in.Text("issuer", out->mutable_issuer());
  in.Text("subject", out->mutable_subject());
  in.Text("serverName", out->mutable_server_name());
}

void ReadWisdom(const Members& in, alerts::v1::Wisdom* out) {
  in.Texts("flags", [out](std::string flag) { out->add_flags(std::move(flag)); });
  in.Texts("labels", [out](std::string label) { out->add_labels(std::move(label)); });
  in.Text("domain", out->mutable_domain());
  std::string family;  // older engines: what a label "c2:<family>" says now
  in.Text("c2Proto", &family);
  if (!family.empty() && out->labels().empty()) out->add_labels("c2:" + family);
}

// Calls `read` for each object in the list, up to kListMax.
template <typename Read>
void ForEach(const Members& in, const char* key, std::string* problem, const Read& read) {
  dom::array list;
  if (!in.Array(key, &list)) return;
  size_t count = 0;
  for (const dom::element item : list) {
    dom::object object;
    if (item.get(object) != simdjson::SUCCESS) return in.Fail(key, "a list of objects");
    if (count++ < kListMax) read(Members(object, absl::StrCat("in `", key, "` "), problem));
  }
}

void ReadDetections(const Members& in, std::string* problem, Alert* out) {
  ForEach(in, "detections", problem, [&](const Members& detection) {
    alerts::v1::Detection& to = *out->add_detections();
    uint32_t severity = 0;
    double value = 0, threshold = 0;
    detection.Text("id", to.mutable_id());
    detection.Text("key", to.mutable_key());
    detection.Number("severity", &severity);
    detection.Text("measure", to.mutable_measure());
    detection.Real("value", &value);
    detection.Real("threshold", &threshold);
    to.set_severity(severity);
    to.set_value(value);
    to.set_threshold(threshold);
    ForEach(detection, "samples", problem, [&](const Members& sample) {
      alerts::v1::DocumentReference& reference = *to.add_samples();
      sample.Text("index", reference.mutable_index());
      sample.Text("documentID", reference.mutable_document_id());
      sample.Text("sensorID", reference.mutable_sensor_id());
      sample.Text("site", reference.mutable_site());
    });
  });
}

// `catalogue` is the page's `threats`, null when it has none.
void ReadThreats(const Members& in, const Members* catalogue, std::string* problem, Alert* out) {
  in.Texts("threats", [&](const std::string& id) {
    alerts::v1::Threat& threat = *out->add_threats();
    threat.set_id(id);
    threat.set_title(id);
    dom::object entry;
    if (catalogue == nullptr || !catalogue->Object(id.c_str(), &entry)) return;
    const Members description(entry, "in `threats` ", problem);
    uint32_t severity = 0;
    bool policy = false;
    description.Text("title", threat.mutable_title());
    description.Number("severity", &severity);
    description.Bool("policy", &policy);
    threat.set_severity(severity);
    threat.set_policy(policy);
  });
  if (out->threats()
          .empty()) {  // still an alert: it must not vanish in formats of one line a threat
    out->add_threats()->set_id("unnamed");
    out->mutable_threats(0)->set_title("Threat without a name");
  }
  std::stable_sort(out->mutable_threats()->begin(), out->mutable_threats()->end(),
                   [](const auto& a, const auto& b) { return a.severity() > b.severity(); });
}

// Without the engine's id: the same content is the same alert.
std::string ContentId(const Alert& alert) {
  std::string content = absl::StrCat(alert.event_type(), "\n");
  for (const auto& threat : alert.threats()) absl::StrAppend(&content, threat.id(), "\n");
  alert.event().AppendToString(&content);
  const XXH128_hash_t hash = XXH3_128bits(content.data(), content.size());
  return absl::StrFormat("%s%016x%016x", kContentIdPrefix, hash.high64, hash.low64);
}

Alert ReadAlert(const Members& in, const Members* catalogue, std::string* problem) {
  Alert alert;
  in.Text("id", alert.mutable_id(), kIdBytesMax);
  if (dom::element time; in.Find("created", &time)) in.Time("created", alert.mutable_created_at());
  in.Text("eventType", alert.mutable_event_type());
  if (dom::object event; in.Object("event", &event)) {
    ReadEvent(Members(event, "in `event` ", problem), alert.mutable_event());
  }
  ReadThreats(in, catalogue, problem, &alert);
  if (dom::object wisdom; in.Object("wisdom", &wisdom)) {
    ReadWisdom(Members(wisdom, "in `wisdom` ", problem), alert.mutable_wisdom());
  }
  ReadDetections(in, problem, &alert);
  in.Texts("mitreAttack", [&](std::string id) { alert.add_mitre_attack(std::move(id)); });
  if (alert.id().empty()) alert.set_id(ContentId(alert));
  return alert;
}

}  // namespace

bool HasEngineId(const Alert& alert) { return !absl::StartsWith(alert.id(), kContentIdPrefix); }

absl::StatusOr<AlertsPage> ParseAlertsReply(absl::string_view content_type,
                                            absl::string_view body) {
  if (content_type == "text/html") return NoAnswer("an HTML page (a proxy or a login in between?)");
  dom::parser parser;
  dom::object object;
  if (parser.parse(body.data(), body.size(), false).get(object) != simdjson::SUCCESS) {
    return NoAnswer(absl::StrCat("not a JSON object, content type \"", content_type, "\""));
  }
  std::string problem;
  const Members in(object, "", &problem);
  AlertsPage page;
  dom::array alerts;
  dom::object threats;
  in.Text("follow", &page.follow, kFollowBytesMax + 1);
  in.Bool("more", &page.more);
  const bool has_alerts = in.Array("alerts", &alerts);
  const bool has_threats = in.Object("threats", &threats);
  if (page.follow.size() > kFollowBytesMax) {
    problem = absl::StrCat("`follow` is over ", kFollowBytesMax, " bytes");
  } else if (has_alerts && alerts.size() > kAlertsPageMax) {
    problem = absl::StrCat("more than ", kAlertsPageMax, " alerts");
  } else if (!has_alerts && page.follow.empty() && problem.empty()) {
    problem = "it has neither `alerts` nor `follow`";
  }
  if (!problem.empty()) return NoAnswer(problem);
  if (!has_alerts) return page;
  std::optional<Members> catalogue;
  if (has_threats) catalogue.emplace(threats, "", &problem);
  for (const dom::element entry : alerts) {
    dom::object alert;
    if (entry.get(alert) != simdjson::SUCCESS) return NoAnswer("an alert is not an object");
    page.alerts.push_back(ReadAlert(Members(alert, "", &problem),
                                    catalogue.has_value() ? &*catalogue : nullptr, &problem));
    if (!problem.empty()) {
      return NoAnswer(absl::StrCat("alert ", page.alerts.size() - 1, ": ", problem));
    }
  }
  return page;
}

}  // namespace nightjar::analytics_api
