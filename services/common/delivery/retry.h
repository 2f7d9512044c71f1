// The one place where "try again?" and "after how long?" are decided.
#ifndef SERVICES_COMMON_DELIVERY_RETRY_H_
#define SERVICES_COMMON_DELIVERY_RETRY_H_

#include <optional>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace nightjar::delivery {

// True when the same request may succeed later: kUnavailable, kDeadlineExceeded,
// kResourceExhausted, kAborted. kUnauthenticated and kPermissionDenied are retryable too, slowly: a
// key can be put right without a restart.
bool IsRetryable(const absl::Status& status);

// The status that a reply's HTTP code means: 2xx OK; 400, 413, 422 kInvalidArgument; 401
// kUnauthenticated; 403 kPermissionDenied; 404 kNotFound; 408, 504 kDeadlineExceeded; 429
// kResourceExhausted; other 5xx kUnavailable; anything else kUnknown. `what` and the first 200
// printable characters of `body` become the message.
absl::Status StatusFromHttp(int http_status, absl::string_view what, absl::string_view body);

struct BackoffOptions {
  absl::Duration initial = absl::Milliseconds(500);
  absl::Duration max = absl::Seconds(30);
  absl::Duration retry_after_max = absl::Minutes(5);  // longer Retry-After values are cut to this
};

// Full-jitter exponential backoff (Brooker, "Exponential Backoff And Jitter", 2015). Not
// thread-safe.
class Backoff {
 public:
  explicit Backoff(BackoffOptions options = {});

  // How long to wait before the next try: at random between 0 and a bound that doubles from
  // `initial` to `max`. With `retry_after`: that, but at least `initial` and at most
  // `retry_after_max`, plus up to 10 % jitter.
  absl::Duration Next(std::optional<absl::Duration> retry_after = std::nullopt);

  // After a success.
  void Reset() { attempts_ = 0; }
  int attempts() const { return attempts_; }

 private:
  BackoffOptions options_;
  int attempts_ = 0;
  absl::BitGen random_;
};

}  // namespace nightjar::delivery

#endif  // SERVICES_COMMON_DELIVERY_RETRY_H_
