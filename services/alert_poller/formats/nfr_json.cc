#include "services/alert_poller/formats/nfr_json.h"

#include <algorithm>
#include <map>

#include "services/common/analytics_api/alerts_reply.h"
#include "services/common/analytics_api/json_writer.h"

namespace nightjar::alert_poller {
namespace {

using alerts::v1::Alert;
using analytics_api::JsonWriter;

void Text(JsonWriter& line, absl::string_view key, absl::string_view value) {
  if (!value.empty()) line.String(key, value);
}

void Number(JsonWriter& line, absl::string_view key, int64_t value) {
  if (value != 0) line.Integer(key, value);
}

template <typename Texts>
void List(JsonWriter& line, absl::string_view key, const Texts& texts) {
  line.BeginArray(key);
  for (const auto& text : texts) line.StringElement(text);
  line.EndArray();
}

// By id, as NFR sorts them.
void AppendThreats(const Alert& alert, JsonWriter& line) {
  std::map<std::string, const alerts::v1::Threat*> threats;
  uint32_t severity = 0;
  for (const auto& threat : alert.threats()) {
    threats[threat.id()] = &threat;
    severity = std::max(severity, threat.severity());
  }
  line.Integer("severity", severity);
  line.BeginObject("threats");
  for (const auto& [id, threat] : threats) {
    std::string key;  // it comes from outside
    analytics_api::AppendJsonEscaped(id, &key);
    line.BeginObject(key);
    line.Integer("severity", threat->severity());
    line.String("desc", threat->title());
    if (threat->policy()) line.Bool("policy", true);
    line.EndObject();
  }
  line.EndObject();
}

void AppendWisdomAndGroups(const Alert& alert, JsonWriter& line) {
  if (alert.wisdom().flags().empty()) {
    line.Null("flags");
  } else {
    List(line, "flags", alert.wisdom().flags());
  }
  if (!alert.wisdom().labels().empty()) List(line, "labels", alert.wisdom().labels());
  if (alert.groups().empty()) return line.Null("groups");
  line.BeginArray("groups");
  for (const auto& group : alert.groups()) {
    line.BeginElement();
    line.String("label", group.label());
    line.String("desc", group.description());
    line.EndObject();
  }
  line.EndArray();
}

void AppendEvent(const alerts::v1::SourceEvent& event, JsonWriter& line) {
  line.Time("ts", event.time().seconds() * 1'000'000'000 + event.time().nanos());
  line.String("srcIP", event.source_ip());
  Number(line, "srcPort", event.source_port());
  Text(line, "srcHost", event.source_host());
  Text(line, "srcMac", event.source_mac());
  Text(line, "srcUser", event.source_user());
  Text(line, "srcID", event.source_id());
  Text(line, "connID", event.connection_id());
  Number(line, "bytesIn", event.bytes_in());
  Number(line, "bytesOut", event.bytes_out());
  Text(line, "query", event.query());
  Text(line, "qtype", event.query_type());
  Text(line, "destIP", event.destination_ip());
  Number(line, "destPort", event.destination_port());
  Text(line, "proto", event.transport());
  Text(line, "ja3", event.ja3());
  Text(line, "url", event.url());
  Text(line, "method", event.method());
  Number(line, "status", event.status());
  Text(line, "action", event.action());
  Text(line, "contentType", event.content_type());
  Text(line, "referrer", event.referrer());
  Text(line, "userAgent", event.user_agent());
}

void AppendDetections(const Alert& alert, JsonWriter& line) {
  if (alert.detections().empty()) return;
  line.BeginArray("detections");
  for (const auto& detection : alert.detections()) {
    line.BeginElement();
    line.String("id", detection.id());
    line.String("key", detection.key());
    line.Integer("severity", detection.severity());
    Text(line, "measure", detection.measure());
    line.Real("value", detection.value());
    line.Real("threshold", detection.threshold());
    line.BeginArray("samples");
    for (const auto& sample : detection.samples()) {
      line.BeginElement();
      Text(line, "index", sample.index());
      Text(line, "documentID", sample.document_id());
      Text(line, "sensorID", sample.sensor_id());
      Text(line, "site", sample.site());
      line.EndObject();
    }
    line.EndArray();
    line.EndObject();
  }
  line.EndArray();
}

}  // namespace

std::string EncodeNfrJson(const Alert& alert) {
  std::string out;
  JsonWriter line(&out);
  line.BeginObject();
  AppendThreats(alert, line);
  AppendWisdomAndGroups(alert, line);
  line.String("eventType", alert.event_type());
  AppendEvent(alert.event(), line);
  if (analytics_api::HasEngineId(alert)) line.String("id", alert.id());
  if (!alert.mitre_attack().empty()) List(line, "mitreAttack", alert.mitre_attack());
  AppendDetections(alert, line);
  line.EndObject();
  return out;
}

}  // namespace nightjar::alert_poller
