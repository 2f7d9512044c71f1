#include "services/alert_poller/formats/cef.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "services/common/analytics_api/alerts_reply.h"

namespace nightjar::alert_poller {
namespace {

using alerts::v1::Alert;

std::string Header(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"|", "\\|"}, {"\n", "\\n"}, {"\r", "\\r"}});
}

std::string Extension(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"=", "\\="}, {"\n", "\\n"}, {"\r", "\\r"}});
}

void AppendList(int number, absl::string_view label, absl::string_view joined, std::string* out) {
  if (joined.empty()) return;
  absl::StrAppend(out, " cs", number, "=", Extension(joined), " cs", number, "Label=", label);
}

std::string Documents(const Alert& alert) {
  std::string out;
  for (const auto& detection : alert.detections()) {
    for (const auto& sample : detection.samples()) {
      absl::StrAppend(&out, out.empty() ? "" : ",", sample.index(), "/", sample.document_id());
    }
  }
  return out;
}

// What stands behind the header, the same for every threat.
std::string Extensions(const Alert& alert) {
  const alerts::v1::SourceEvent& event = alert.event();
  const absl::Time time =
      absl::FromUnixSeconds(event.time().seconds()) + absl::Nanoseconds(event.time().nanos());
  std::string out =
      absl::StrCat("app=", Extension(alert.event_type()),
                   " rt=", absl::FormatTime("%b %d %Y %H:%M:%E3S UTC", time, absl::UTCTimeZone()),
                   " src=", Extension(event.source_ip()));
  AppendList(1, "flags", absl::StrJoin(alert.wisdom().flags(), ","), &out);
  const auto group_name = [](std::string* to, const alerts::v1::Group& group) {
    to->append(group.label());
  };
  AppendList(2, "groups", absl::StrJoin(alert.groups(), ",", group_name), &out);
  if (alert.event_type() == "dns") {
    absl::StrAppend(&out, " query=", Extension(event.query()),
                    " requestMethod=", Extension(event.query_type()));
  } else if (alert.event_type() == "ip") {
    absl::StrAppend(&out, " spt=", event.source_port(), " dst=", Extension(event.destination_ip()),
                    " dpt=", event.destination_port(), " proto=", Extension(event.transport()),
                    " in=", event.bytes_in(), " out=", event.bytes_out());
  }
  if (analytics_api::HasEngineId(alert)) {
    absl::StrAppend(&out, " externalId=", Extension(alert.id()));
  }
  AppendList(3, "documents", Documents(alert), &out);
  return out;
}

}  // namespace

std::vector<std::string> EncodeCef(const Alert& alert, absl::string_view version) {
  const std::string extensions = Extensions(alert);
  std::vector<std::string> lines;
  for (const auto& threat : alert.threats()) {
    lines.push_back(absl::StrCat("CEF:0|AlphaSOC|NFR|", Header(version), "|", Header(threat.id()),
                                 "|", Header(threat.title()), "|", threat.severity() * 2, "|",
                                 extensions));
  }
  return lines;
}

}  // namespace nightjar::alert_poller
