// IsOk, StatusIs, IsOkAndHolds for tests, with the names of newer Abseil.
#ifndef SERVICES_COMMON_STATUS_STATUS_MATCHERS_H_
#define SERVICES_COMMON_STATUS_STATUS_MATCHERS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

namespace nightjar {

inline const absl::Status& ToStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& ToStatus(const absl::StatusOr<T>& statusor) {
  return statusor.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << "status is " << ToStatus(arg).ToString();
  return ToStatus(arg).ok();
}

MATCHER_P(StatusIs, code, "has code " + absl::StatusCodeToString(code)) {
  *result_listener << "status is " << ToStatus(arg).ToString();
  return ToStatus(arg).code() == code;
}

MATCHER_P2(StatusIs, code, message_matcher, "has a code and a message that match") {
  *result_listener << "status is " << ToStatus(arg).ToString();
  return ToStatus(arg).code() == code &&
         testing::ExplainMatchResult(message_matcher, std::string(ToStatus(arg).message()),
                                     result_listener);
}

MATCHER_P(IsOkAndHolds, value_matcher, "is OK and holds a value that matches") {
  if (!arg.ok()) {
    *result_listener << "status is " << arg.status().ToString();
    return false;
  }
  return testing::ExplainMatchResult(value_matcher, *arg, result_listener);
}

}  // namespace nightjar

#define ASSERT_OK(expr) ASSERT_THAT((expr), ::nightjar::IsOk())
#define EXPECT_OK(expr) EXPECT_THAT((expr), ::nightjar::IsOk())

#endif  // SERVICES_COMMON_STATUS_STATUS_MATCHERS_H_
