#include "services/common/http/url.h"

#include <curl/curl.h>

#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/common/network/address.h"

namespace nightjar::http {
namespace {

constexpr size_t kShownBytesMax = 200;

absl::Status Invalid(absl::string_view text, absl::string_view reason) {
  const bool may_hold_password = absl::StrContains(text, "@");
  return absl::InvalidArgumentError(absl::StrCat(
      "URL ", may_hold_password ? "(not shown)" : text.substr(0, kShownBytesMax), ": ", reason));
}

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

}  // namespace

std::string Url::Origin() const {
  const bool ipv6 = absl::StrContains(host, ":");
  return absl::StrCat(scheme, "://", ipv6 ? "[" : "", host, ipv6 ? "]" : "", ":", port);
}

absl::StatusOr<Url> ParseUrl(absl::string_view text) {
  if (absl::StrContains(text, '\0')) return Invalid("", "holds a NUL");
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parser(curl_url(), curl_url_cleanup);
  const CURLUcode code =
      curl_url_set(parser.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) return Invalid(text, curl_url_strerror(code));
  Url url;
  url.scheme = Part(parser.get(), CURLUPART_SCHEME);
  if (url.scheme != "http" && url.scheme != "https") {
    return Invalid(text, "expected http:// or https://");
  }
  const std::string host = Part(parser.get(), CURLUPART_HOST);
  url.host = absl::AsciiStrToLower(absl::StripSuffix(absl::StripPrefix(host, "["), "]"));
  url.port = Part(parser.get(), CURLUPART_PORT);
  return url;
}

bool IsLoopback(const Url& url) {
  if (url.host == "localhost" || absl::EndsWith(url.host, ".localhost")) return true;
  const std::optional<network::Address> address = network::Address::Parse(url.host);
  if (!address.has_value()) return false;
  return address->is_ipv4() ? address->bytes()[12] == 127
                            : *address == *network::Address::Parse("::1");
}

bool IsLoopback(absl::string_view url) {
  const absl::StatusOr<Url> parsed = ParseUrl(url);
  return parsed.ok() && IsLoopback(*parsed);
}

}  // namespace nightjar::http
