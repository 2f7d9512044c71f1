#include "services/cli/account.h"

#include "absl/strings/str_cat.h"
#include "services/common/analytics_api/engine_client.h"
#include "services/common/analytics_api/engine_key.h"
#include "services/common/runtime/main.h"
#include "services/common/runtime/printable.h"
#include "services/common/status/status_macros.h"

namespace nightjar::cli {
namespace {

constexpr absl::Duration kAnswerMax = absl::Seconds(5);
constexpr size_t kTextBytesMax = 500;

const char* Text(bool value) { return value ? "true" : "false"; }

}  // namespace

absl::StatusOr<std::string> AccountStatus(const config::Config& config) {
  analytics_api::EngineClientOptions options;
  ASSIGN_OR_RETURN(options.api_key, analytics_api::EngineKey(config));
  options.hosts = config.engine.hosts;
  options.endpoint.user_agent = absl::StrCat("nightjar/", runtime::Version());
  options.endpoint.ca_file = config.engine.ca_file;
  options.endpoint.insecure_skip_verify = config.engine.insecure_skip_verify;
  options.endpoint.proxy = config.engine.proxy;
  options.timeout = kAnswerMax;
  analytics_api::AccountReply account;
  analytics_api::Exchange exchange;
  RETURN_IF_ERROR(analytics_api::EngineClient(options).Account(&account, &exchange));
  return AccountText(account);
}

std::string AccountText(const analytics_api::AccountReply& account) {
  std::string text = absl::StrCat("Account registered: ", Text(account.registered),
                                  "\nAccount expired: ", Text(account.expired), "\n");
  if (account.expires.has_value()) {
    absl::StrAppend(&text, "Account expires: ",
                    absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", *account.expires, absl::UTCTimeZone()),
                    "\n");
  }
  for (const std::string& message : account.messages) {
    absl::StrAppend(&text, "Message: ", runtime::Printable(message, kTextBytesMax), "\n");
  }
  return text;
}

}  // namespace nightjar::cli
