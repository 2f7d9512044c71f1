#include "services/analytics_engine/api/replies.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "services/analytics_engine/api/alert_json.h"
#include "services/analytics_engine/detectors/flags.h"
#include "services/analytics_engine/detectors/threats.h"
#include "services/common/analytics_api/json_writer.h"

namespace nightjar::analytics_engine {
namespace {

using analytics_api::JsonWriter;

void AppendThreat(const Threat& threat, JsonWriter& json) {
  json.BeginObject(threat.id);
  json.String("title", threat.title);
  json.Integer("severity", threat.severity);
  if (threat.policy) json.Bool("policy", true);
  json.EndObject();
}

}  // namespace

std::string MessageJson(absl::string_view message) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.String("message", message);
  json.EndObject();
  return out;
}

std::string EventsReplyJson(const analytics_api::EventsReply& reply) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Integer("received", static_cast<int64_t>(reply.received));
  json.Integer("accepted", static_cast<int64_t>(reply.accepted));
  json.BeginObject("rejected");
  for (const auto& [reason, count] : reply.rejected) {
    json.Integer(reason, static_cast<int64_t>(count));
  }
  json.EndObject();
  json.BeginArray("rejectedLines");
  for (const auto& rejected : reply.rejected_lines) {
    json.BeginElement();
    json.Integer("line", static_cast<int64_t>(rejected.line));
    json.String("reason", rejected.reason);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return out;
}

std::string AccountJson(absl::Time now, std::optional<absl::Time> expires, uint64_t sources_today) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Time("today", absl::ToUnixNanos(now));
  json.Bool("registered", true);
  json.Bool("expired", false);
  if (expires.has_value()) json.Time("expirationDate", absl::ToUnixNanos(*expires));
  json.Integer("endpointsSeenToday", static_cast<int64_t>(sources_today));
  json.BeginArray("messages");
  json.EndArray();
  json.EndObject();
  return out;
}

std::string AlertsJson(const AlertPage& page, bool all_threats) {
  std::string out;
  std::set<absl::string_view> present;
  JsonWriter json(&out);
  json.BeginObject();
  json.String("follow", page.follow);
  json.Bool("more", page.more);
  json.BeginArray("alerts");
  bool first = true;
  for (const StoredAlert& alert : page.alerts) {
    if (!first) out.push_back(',');
    first = false;
    AppendAlert(alert, &out);
    present.insert(alert.threats.begin(), alert.threats.end());
  }
  json.EndArray();
  json.BeginObject("threats");
  for (const Threat& threat : Threats()) {
    if (all_threats || present.count(threat.id) != 0) AppendThreat(threat, json);
  }
  json.EndObject();
  json.EndObject();
  return out;
}

std::string ThreatsJson() {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.BeginObject("threats");
  for (const Threat& threat : Threats()) AppendThreat(threat, json);
  json.EndObject();
  json.EndObject();
  return out;
}

std::string FlagsJson() {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.BeginObject("flags");
  for (const Flag& flag : Flags()) {
    json.BeginObject(flag.name);
    json.String("title", flag.title);
    json.String("type", flag.type);
    json.EndObject();
  }
  json.EndObject();
  json.EndObject();
  return out;
}

}  // namespace nightjar::analytics_engine
