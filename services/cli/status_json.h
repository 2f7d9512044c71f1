// The state of every stage for other programs.
#ifndef SERVICES_CLI_STATUS_JSON_H_
#define SERVICES_CLI_STATUS_JSON_H_

#include <string>
#include <vector>

#include "services/cli/status_screen.h"

namespace nightjar::cli {

// One line: {"ready":true,"stages":[{"stage","address","status":{...} or "error":"..."}],
// "types":[{"type","silence"}]}. `status` is admin.v1.StageStatus in protobuf's JSON with the names
// of its fields as they are; an empty `silence` means that there is nothing to explain.
std::string StatusJson(const std::vector<StageReport>& reports, absl::Time now);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_STATUS_JSON_H_
