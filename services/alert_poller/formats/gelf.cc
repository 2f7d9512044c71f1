#include "services/alert_poller/formats/gelf.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/analytics_api/alerts_reply.h"
#include "services/common/analytics_api/json_writer.h"

namespace nightjar::alert_poller {
namespace {

using alerts::v1::Alert;
using analytics_api::JsonWriter;

// As Go prints a time: 2026-11-24 12:00:00.5 +0000 UTC.
std::string GoTime(const google::protobuf::Timestamp& time) {
  const absl::Time at = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  return absl::FormatTime("%Y-%m-%d %H:%M:%E*S +0000 UTC", at, absl::UTCTimeZone());
}

void AddressOrNull(JsonWriter& message, absl::string_view key, absl::string_view address) {
  if (address.empty()) return message.Null(key);
  message.String(key, address);
}

void AppendEvent(const Alert& alert, JsonWriter& message) {
  const alerts::v1::SourceEvent& event = alert.event();
  message.String("_original_event", GoTime(event.time()));
  AddressOrNull(message, "_src_ip", event.source_ip());
  message.String("_query", event.query());
  message.String("_record_type", event.query_type());
  message.String("_protocol", event.transport());
  message.Integer("_src_port", event.source_port());
  AddressOrNull(message, "_dest_ip", event.destination_ip());
  message.Integer("_dest_port", event.destination_port());
  message.Integer("_bytes_in", event.bytes_in());
  message.Integer("_bytes_out", event.bytes_out());
  message.String("_ja3", event.ja3());
}

}  // namespace

std::vector<std::string> EncodeGelf(const Alert& alert, const GelfOptions& options,
                                    absl::Time now) {
  std::vector<std::string> messages;
  for (const auto& threat : alert.threats()) {
    std::string out;
    JsonWriter message(&out);
    message.BeginObject();
    message.String("version", "1.1");
    message.String("host", options.host);
    message.String("short_message", threat.title());
    message.String("full_message", "");
    message.Integer("timestamp", absl::ToUnixSeconds(now));
    message.Integer("level", options.level);
    message.Integer("_severity", threat.severity());
    message.String("_policy", threat.policy() ? "true" : "false");
    message.String("_flags", absl::StrJoin(alert.wisdom().flags(), ","));
    message.String("_threat", threat.id());
    message.String("_engine_agent", absl::StrCat("AlphaSOC NFR/", options.version));
    AppendEvent(alert, message);
    if (analytics_api::HasEngineId(alert)) {
      message.String("_alert_id", alert.id());
    }
    message.EndObject();
    messages.push_back(std::move(out));
  }
  return messages;
}

}  // namespace nightjar::alert_poller
