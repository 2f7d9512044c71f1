#include "services/es_reader/elastic/errors.h"

#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "simdjson.h"

namespace nightjar::es_reader {
namespace {

constexpr absl::string_view kRetryAfterPayload = "nightjar/retry_after_ms";
constexpr size_t kReasonBytesMax = 200;
// More of an error's body is not looked at.
constexpr size_t kErrorBodyBytesMax = 64 << 10;

struct ErrorText {
  std::string type;
  std::string reason;
};

std::string Printable(absl::string_view text) {
  return absl::CHexEscape(text.substr(0, kReasonBytesMax));
}

std::string StringAt(simdjson::dom::element element, const char* key) {
  std::string_view text;
  return element[key].get(text) ? "" : std::string(text);
}

// The innermost cause that the server names: the outer one often says only "all shards failed".
ErrorText Parse(absl::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root, error;
  ErrorText text;
  const absl::string_view part = body.substr(0, kErrorBodyBytesMax);
  if (parser.parse(part.data(), part.size()).get(root) || root["error"].get(error)) return text;
  if (std::string_view plain; !error.get(plain)) {
    text.reason = std::string(plain);
    return text;
  }
  text = {StringAt(error, "type"), StringAt(error, "reason")};
  simdjson::dom::element cause;
  for (const char* pointer : {"/root_cause/0", "/caused_by", "/failed_shards/0/reason"}) {
    if (error.at_pointer(pointer).get(cause)) continue;
    const ErrorText inner{StringAt(cause, "type"), StringAt(cause, "reason")};
    if (inner.type.empty() || inner.type == text.type) continue;
    return inner;
  }
  return text;
}

bool IsHtml(const http::Response& response) {
  const absl::string_view body = absl::StripLeadingAsciiWhitespace(response.body());
  return response.content_type == "text/html" || absl::StartsWith(body, "<");
}

// Codes by type where the HTTP status is not telling enough, else by status.
absl::StatusCode Code(int status, const ErrorText& error) {
  using absl::StatusCode;
  if (error.type == "index_closed_exception") return StatusCode::kFailedPrecondition;
  if (error.type == "circuit_breaking_exception" ||
      error.type == "es_rejected_execution_exception" ||
      error.type == "rejected_execution_exception") {
    return StatusCode::kResourceExhausted;
  }
  if (error.type == "no_shard_available_action_exception" ||
      absl::StrContains(error.reason, "no data nodes with criteria")) {
    return StatusCode::kAborted;
  }
  if (absl::StrContains(error.reason, "Time exceeded")) return StatusCode::kDeadlineExceeded;
  switch (status) {
    case 401:
      return StatusCode::kUnauthenticated;
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kNotFound;
    case 408:
    case 504:
      return StatusCode::kDeadlineExceeded;
    case 413:
    case 429:
      return StatusCode::kResourceExhausted;
    default:
      return status >= 400 && status < 500 ? StatusCode::kInvalidArgument
                                           : StatusCode::kUnavailable;
  }
}

std::string Explanation(const http::Response& response, const ErrorText& error) {
  if (!error.type.empty() || !error.reason.empty()) {
    return absl::StrCat(error.type, error.type.empty() || error.reason.empty() ? "" : ": ",
                        Printable(error.reason));
  }
  if (IsHtml(response)) return "an HTML page, not JSON: is this Elasticsearch, or a proxy?";
  const absl::string_view body = absl::StripAsciiWhitespace(response.body());
  return body.empty() ? "no text" : Printable(body);
}

const char* Advice(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnauthenticated:
      return " (check the user and password, or the API key)";
    case absl::StatusCode::kPermissionDenied:
      return " (grant the user this privilege)";
    default:
      return "";
  }
}

}  // namespace

absl::Status StatusFromReply(absl::string_view what, const http::Response& response) {
  const bool success = response.status >= 200 && response.status < 300;
  const absl::string_view body = absl::StripLeadingAsciiWhitespace(response.body());
  if (success && absl::StartsWith(body, "{")) return absl::OkStatus();
  const ErrorText error = success ? ErrorText() : Parse(response.body());
  const absl::StatusCode code =
      success ? absl::StatusCode::kUnavailable : Code(response.status, error);
  absl::Status status(code, absl::StrCat(what, ": HTTP ", response.status, ": ",
                                         Explanation(response, error), Advice(code)));
  if (response.retry_after.has_value()) {
    status.SetPayload(kRetryAfterPayload,
                      absl::Cord(absl::StrCat(absl::ToInt64Milliseconds(*response.retry_after))));
  }
  return status;
}

std::optional<absl::Duration> RetryAfter(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kRetryAfterPayload);
  int64_t milliseconds = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &milliseconds)) {
    return std::nullopt;
  }
  return absl::Milliseconds(milliseconds);
}

}  // namespace nightjar::es_reader
