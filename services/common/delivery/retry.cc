#include "services/common/delivery/retry.h"

#include <algorithm>
#include <string>

#include "absl/random/distributions.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace nightjar::delivery {
namespace {

constexpr size_t kBodyShownMax = 200;  // characters
constexpr double kRetryAfterJitter = 0.1;

// The body comes from outside and goes to a log: one line of plain ASCII.
std::string Printable(absl::string_view body) {
  std::string text;
  for (char c : body) {
    if (text.size() >= kBodyShownMax) break;
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isgraph(byte)) {
      text += c;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  absl::StripTrailingAsciiWhitespace(&text);
  return text;
}

absl::StatusCode CodeFromHttp(int http_status) {
  switch (http_status) {
    case 400:
    case 413:
    case 422:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 408:
    case 504:
      return absl::StatusCode::kDeadlineExceeded;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    default:
      return http_status >= 500 && http_status <= 599 ? absl::StatusCode::kUnavailable
                                                      : absl::StatusCode::kUnknown;
  }
}

}  // namespace

bool IsRetryable(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return true;
    default:
      return false;
  }
}

absl::Status StatusFromHttp(int http_status, absl::string_view what, absl::string_view body) {
  if (http_status >= 200 && http_status <= 299) return absl::OkStatus();
  const std::string shown = Printable(body);
  return absl::Status(CodeFromHttp(http_status),
                      absl::StrCat(what, ": HTTP ", http_status, shown.empty() ? "" : ": ", shown));
}

Backoff::Backoff(BackoffOptions options) : options_(options) {}

absl::Duration Backoff::Next(std::optional<absl::Duration> retry_after) {
  ++attempts_;
  if (retry_after.has_value()) {
    // Not below `initial`: a server that says 0 would be asked in a tight loop.
    const absl::Duration wanted =
        std::min(std::max(*retry_after, options_.initial), options_.retry_after_max);
    return wanted * absl::Uniform(random_, 1.0, 1.0 + kRetryAfterJitter);
  }
  constexpr int kDoublingsMax = 30;  // far past any `max`
  const absl::Duration bound =
      std::min(options_.initial * (1 << std::min(attempts_ - 1, kDoublingsMax)), options_.max);
  return bound * absl::Uniform(random_, 0.0, 1.0);
}

}  // namespace nightjar::delivery
