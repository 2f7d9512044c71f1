// The engine's answer to GET /v1/account/status.
#ifndef SERVICES_COMMON_ANALYTICS_API_ACCOUNT_REPLY_H_
#define SERVICES_COMMON_ANALYTICS_API_ACCOUNT_REPLY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace nightjar::analytics_api {

struct AccountReply {
  bool registered = false;
  bool expired = false;
  std::optional<absl::Time> expires;  // unset: the engine did not say, or never
  std::vector<std::string> messages;  // as the engine wrote them: not safe to print
};

// kUnavailable for what is no answer: an HTML page, no JSON object, no `registered`, an
// `expirationDate` that is no time.
absl::StatusOr<AccountReply> ParseAccountReply(absl::string_view content_type,
                                               absl::string_view body);

}  // namespace nightjar::analytics_api

#endif  // SERVICES_COMMON_ANALYTICS_API_ACCOUNT_REPLY_H_
