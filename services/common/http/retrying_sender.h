// "Try up to N times": a bounded retry around one HttpClient::Send.
#ifndef SERVICES_COMMON_HTTP_RETRYING_SENDER_H_
#define SERVICES_COMMON_HTTP_RETRYING_SENDER_H_

#include <condition_variable>
#include <mutex>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/common/clock/clock.h"
#include "services/common/delivery/retry.h"
#include "services/common/http/http_client.h"

namespace nightjar::http {

struct RetryOptions {
  int tries_max = 5;
  absl::Duration total_max = absl::Minutes(2);  // no wait that would end later is begun
  delivery::BackoffOptions backoff;
};

// One Send at a time, as HttpClient. The client and the clock outlive it.
class RetryingSender {
 public:
  RetryingSender(HttpClient& client, Clock& clock, RetryOptions options = {});

  // OK for a 2xx reply. Otherwise what the last try ended with: an error of HttpClient::Send or
  // delivery::StatusFromHttp of the reply, which is in `response`. Tries again while
  // delivery::IsRetryable. kCancelled after Cancel().
  absl::Status Send(const Request& request, Response* response);

  // Ends a Send in progress, and every later one. From any thread.
  void Cancel();

 private:
  HttpClient& client_;
  Clock& clock_;
  const RetryOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool cancelled_ = false;
};

}  // namespace nightjar::http

#endif  // SERVICES_COMMON_HTTP_RETRYING_SENDER_H_
