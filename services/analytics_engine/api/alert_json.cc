#include "services/analytics_engine/api/alert_json.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "services/analytics_engine/detectors/threats.h"
#include "services/common/analytics_api/json_writer.h"
#include "services/common/status/check.h"

namespace nightjar::analytics_engine {
namespace {

using analytics_api::AppendJsonEscaped;
using analytics_api::JsonWriter;

// "key":["a","b"], without repetitions.
void AppendTexts(absl::string_view key, const std::vector<std::string>& texts, std::string* out) {
  absl::StrAppend(out, "\"", key, "\":[");
  std::set<absl::string_view> seen;
  for (const std::string& text : texts) {
    if (!seen.insert(text).second) continue;
    absl::StrAppend(out, seen.size() > 1 ? ",\"" : "\"");
    AppendJsonEscaped(text, out);
    out->push_back('"');
  }
  out->push_back(']');
}

void AppendSample(const Sample& sample, JsonWriter& json) {
  json.BeginElement();
  const auto text = [&](absl::string_view key, const std::string& value) {
    if (!value.empty()) json.String(key, value);
  };
  text("index", sample.index);
  text("documentID", sample.document_id);
  text("sensorID", sample.sensor_id);
  text("site", sample.site);
  json.EndObject();
}

void AppendDetection(const Finding& finding, JsonWriter& json) {
  json.BeginElement();
  json.String("id", finding.detection);
  json.String("key", finding.key);
  json.Integer("severity", finding.severity);
  json.String("threat", finding.threat);
  json.Integer("count", static_cast<int64_t>(finding.count));
  json.String("measure", finding.evidence.measure);
  json.Integer("value", finding.evidence.value);
  json.Integer("threshold", finding.evidence.threshold);
  json.BeginArray("samples");
  for (const Sample& sample : finding.evidence.samples) AppendSample(sample, json);
  json.EndArray();
  json.EndObject();
}

void AppendWisdom(const std::vector<Finding>& findings, std::string* out) {
  std::vector<std::string> flags, labels;
  absl::string_view domain;
  for (const Finding& finding : findings) {
    flags.insert(flags.end(), finding.flags.begin(), finding.flags.end());
    labels.insert(labels.end(), finding.labels.begin(), finding.labels.end());
    if (domain.empty()) domain = finding.domain;
  }
  absl::StrAppend(out, "\"wisdom\":{");
  AppendTexts("flags", flags, out);
  out->push_back(',');
  AppendTexts("labels", labels, out);
  if (!domain.empty()) {
    absl::StrAppend(out, ",\"domain\":\"");
    AppendJsonEscaped(domain, out);
    out->push_back('"');
  }
  out->push_back('}');
}

std::string FindingsJson(const std::vector<Finding>& findings) {
  std::string out;
  AppendWisdom(findings, &out);
  out.push_back(',');
  JsonWriter json(&out);
  json.BeginArray("detections");
  for (const Finding& finding : findings) AppendDetection(finding, json);
  json.EndArray();
  std::vector<std::string> mitre;
  for (const Finding& finding : findings) {
    const Threat* threat = FindThreat(finding.threat);
    CHECK(threat != nullptr);
    mitre.insert(mitre.end(), threat->mitre.begin(), threat->mitre.end());
  }
  out.push_back(',');
  AppendTexts("mitreAttack", mitre, &out);
  return out;
}

}  // namespace

StoredAlert MakeAlert(absl::string_view event_type, absl::string_view event,
                      std::vector<Finding> findings) {
  CHECK(!findings.empty());
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  StoredAlert alert;
  alert.event_type = std::string(event_type);
  alert.severity = findings[0].severity;
  for (const Finding& finding : findings) {
    auto& threats = alert.threats;
    if (std::find(threats.begin(), threats.end(), finding.threat) == threats.end()) {
      threats.push_back(finding.threat);
    }
  }
  alert.event = std::string(event);
  alert.findings = FindingsJson(findings);
  return alert;
}

void AppendAlert(const StoredAlert& alert, std::string* out) {
  JsonWriter json(out);
  json.BeginObject();
  json.String("id", alert.id);
  json.Time("created", absl::ToUnixNanos(alert.created));
  json.String("eventType", alert.event_type);
  absl::StrAppend(out, ",\"event\":", alert.event, ",");
  AppendTexts("threats", alert.threats, out);
  absl::StrAppend(out, ",", alert.findings, "}");
}

}  // namespace nightjar::analytics_engine
