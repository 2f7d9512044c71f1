// nightjar tap: a live sample of the events that pass a stage.
#ifndef SERVICES_CLI_TAP_H_
#define SERVICES_CLI_TAP_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/admin/v1/stage.pb.h"
#include "services/cli/stage_client.h"

namespace nightjar::cli {

// One line: {"index","skipped","event":{...}}, the event as telemetry.v1.Event in protobuf's JSON
// with the names of its fields as they are. Control characters are escaped.
std::string TapLine(const admin::v1::TapResponse& response);

// Hands a line for each event to `print` until `count` were printed (0: no limit), `print` returns
// false or the stage ends the call.
absl::Status Tap(const StageClient& stage, const admin::v1::TapRequest& request, uint64_t count,
                 const std::function<bool(const std::string& line)>& print);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_TAP_H_
