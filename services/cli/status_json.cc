#include "services/cli/status_json.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "services/cli/silence.h"
#include "services/common/analytics_api/json_writer.h"

namespace nightjar::cli {
namespace {

std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  analytics_api::AppendJsonEscaped(text, &quoted);
  return quoted + "\"";
}

// "status":{...} or "error":"..."
std::string Answer(const StageReport& report) {
  if (!report.status.ok()) {
    return absl::StrCat("\"error\":", Quoted(report.status.status().message()));
  }
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto printed = google::protobuf::util::MessageToJsonString(*report.status, &json, options);
  if (!printed.ok()) return absl::StrCat("\"error\":", Quoted(printed.ToString()));
  return absl::StrCat("\"status\":", json);
}

}  // namespace

std::string StatusJson(const std::vector<StageReport>& reports, absl::Time now) {
  std::string json =
      absl::StrCat("{\"ready\":", AllReady(reports) ? "true" : "false", ",\"stages\":[");
  const char* comma = "";
  for (const StageReport& report : reports) {
    absl::StrAppend(&json, comma, "{\"stage\":", Quoted(report.stage),
                    ",\"address\":", Quoted(report.address), ",", Answer(report), "}");
    comma = ",";
  }
  absl::StrAppend(&json, "],\"types\":[");
  const auto reader = ReaderStatus(reports);
  comma = "";
  for (const char* type : kShownTypes) {
    absl::StrAppend(&json, comma, "{\"type\":\"", type,
                    "\",\"silence\":", Quoted(ReasonForSilence(reader, type, now)), "}");
    comma = ",";
  }
  return json + "]}\n";
}

}  // namespace nightjar::cli
