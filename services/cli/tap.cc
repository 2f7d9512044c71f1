#include "services/cli/tap.h"

#include "google/protobuf/util/json_util.h"

namespace nightjar::cli {

std::string TapLine(const admin::v1::TapResponse& response) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  const auto printed = google::protobuf::util::MessageToJsonString(response, &line, options);
  if (!printed.ok()) return "{}\n";  // texts are UTF-8 since they came by protobuf: cannot happen
  return line + "\n";
}

absl::Status Tap(const StageClient& stage, const admin::v1::TapRequest& request, uint64_t count,
                 const std::function<bool(const std::string& line)>& print) {
  uint64_t printed = 0;
  return stage.Tap(request, [&](const admin::v1::TapResponse& response) {
    return print(TapLine(response)) && ++printed != count;
  });
}

}  // namespace nightjar::cli
