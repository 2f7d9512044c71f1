// nightjar account status: whether the engine knows our key.
#ifndef SERVICES_CLI_ACCOUNT_H_
#define SERVICES_CLI_ACCOUNT_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/common/analytics_api/account_reply.h"
#include "services/common/config/config.h"

namespace nightjar::cli {

// Asks GET /v1/account/status, each of engine.host in order until one answers. The answer as
// AccountText words it, or why there is none: kUnauthenticated or kPermissionDenied when the key
// is refused, kUnavailable when no host can be reached or gives a proper answer.
absl::StatusOr<std::string> AccountStatus(const config::Config& config);

// "Account registered: true\nAccount expired: false\n", then what else the engine said, a line
// each, made printable.
std::string AccountText(const analytics_api::AccountReply& account);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_ACCOUNT_H_
