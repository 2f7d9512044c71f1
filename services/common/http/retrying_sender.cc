#include "services/common/http/retrying_sender.h"

#include "absl/strings/str_cat.h"

namespace nightjar::http {
namespace {

absl::Status SendOnce(HttpClient& client, const Request& request, Response* response) {
  absl::Status status = client.Send(request, response);
  if (!status.ok()) return status;
  const absl::string_view url = request.url;
  return delivery::StatusFromHttp(response->status,
                                  absl::StrCat(request.method, " ", url.substr(0, url.find('?'))),
                                  response->body());
}

}  // namespace

RetryingSender::RetryingSender(HttpClient& client, Clock& clock, RetryOptions options)
    : client_(client), clock_(clock), options_(options) {}

absl::Status RetryingSender::Send(const Request& request, Response* response) {
  delivery::Backoff backoff(options_.backoff);
  const absl::Duration end = clock_.Monotonic() + options_.total_max;
  for (int tries = 1;; ++tries) {
    const absl::Status status = SendOnce(client_, request, response);
    if (status.ok() || !delivery::IsRetryable(status) || tries >= options_.tries_max) return status;
    const absl::Duration wait = backoff.Next(response->retry_after);
    if (clock_.Monotonic() + wait > end) return status;
    std::unique_lock lock(mutex_);
    if (clock_.WaitFor(lock, changed_, wait, [this] { return cancelled_; })) {
      return absl::CancelledError(
          absl::StrCat("cancelled while waiting to retry: ", status.message()));
    }
  }
}

void RetryingSender::Cancel() {
  client_.Cancel();
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

}  // namespace nightjar::http
