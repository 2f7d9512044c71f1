#include "services/common/config/endpoint.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace nightjar::config {
namespace {

constexpr char kHttp[] = "http://";
constexpr char kHttps[] = "https://";

struct HostPort {
  absl::string_view host;  // IPv6 with its brackets
  std::optional<int> port;
};

bool IsHostText(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) {
    if (!absl::ConsumeSuffix(&host, "]") || !absl::StrContains(host, ":")) return false;
    return std::all_of(host.begin(), host.end(), [](char c) {
      return absl::ascii_isxdigit(c) || c == ':' || c == '.' || c == '%';
    });
  }
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

// Splits "host", "host:port" or "[v6]:port"; `problem` says what is wrong with it.
HostPort SplitHostPort(absl::string_view text, std::string* problem) {
  HostPort result{text, std::nullopt};
  const size_t colon = text.rfind(':');
  const size_t bracket = text.rfind(']');
  const bool has_port =
      colon != absl::string_view::npos && (bracket == absl::string_view::npos || colon > bracket);
  if (has_port) {
    result.host = text.substr(0, colon);
    int port = -1;
    const absl::string_view digits = text.substr(colon + 1);
    if (!absl::SimpleAtoi(digits, &port) || port < 0 || port > 65535) {
      *problem = absl::StrCat("port \"", digits, "\" is not a number from 0 to 65535");
    }
    result.port = port;
  }
  if (problem->empty() && !IsHostText(result.host)) {
    *problem = absl::StrCat("\"", result.host, "\" is not a host name or address");
  }
  return result;
}

// What stands between the scheme and the first slash.
absl::string_view Authority(absl::string_view url) {
  const size_t start = url.find("://");
  if (start != absl::string_view::npos) url.remove_prefix(start + 3);
  return url.substr(0, url.find('/'));
}

bool HasGraphOnly(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isgraph(c); });
}

bool StartsWithOneOf(absl::string_view url, const std::vector<std::string>& schemes) {
  return std::any_of(schemes.begin(), schemes.end(),
                     [url](const std::string& scheme) { return absl::StartsWith(url, scheme); });
}

std::string AuthorityProblem(absl::string_view authority) {
  std::string problem;
  const HostPort split = SplitHostPort(authority, &problem);
  if (problem.empty() && split.port == 0) return "port 0 cannot be connected to";
  return problem;
}

}  // namespace

std::string UrlProblem(absl::string_view url, const std::vector<std::string>& schemes) {
  if (absl::StrContains(url, "@")) {
    return "a name or password in the URL is not allowed; there are keys for them";
  }
  if (!StartsWithOneOf(url, schemes)) {
    return absl::StrCat("\"", url, "\" must start with ", absl::StrJoin(schemes, " or "));
  }
  if (!HasGraphOnly(url)) return "a URL has no spaces and no letters beyond ASCII";
  if (absl::StrContains(url, "?") || absl::StrContains(url, "#")) {
    return absl::StrCat("\"", url.substr(0, url.find_first_of("?#")),
                        "...\" must end before ? and #");
  }
  return AuthorityProblem(Authority(url));
}

std::string ProxyProblem(absl::string_view url) {
  if (!StartsWithOneOf(url, {kHttp, kHttps})) return "must start with http:// or https://";
  if (!HasGraphOnly(url)) return "a URL has no spaces and no letters beyond ASCII";
  const absl::string_view authority = Authority(url);
  const absl::string_view rest = url.substr(authority.data() + authority.size() - url.data());
  if (!rest.empty() && rest != "/") return "a proxy has no path";
  // Without "@", what looks like a port may be a password: no part of it is repeated.
  if (AuthorityProblem(authority.substr(authority.rfind('@') + 1)).empty()) return "";
  return "is not http://host:port, or http://name:password@host:port";
}

std::string ListenProblem(absl::string_view address) {
  std::string problem;
  const HostPort split = SplitHostPort(address, &problem);
  if (problem.empty() && !split.port) {
    return absl::StrCat("\"", address, "\" has no port (example: 127.0.0.1:7480)");
  }
  return problem;
}

std::string ChannelProblem(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) return "";
  absl::ConsumePrefix(&address, "dns:///");
  std::string problem = ListenProblem(address);
  return problem.empty() ? AuthorityProblem(address) : problem;
}

bool IsPlainTextOffHost(absl::string_view url) {
  if (!absl::StartsWith(url, kHttp)) return false;
  std::string problem;
  const absl::string_view host = SplitHostPort(Authority(url), &problem).host;
  const bool is_127 = absl::StartsWith(host, "127.") &&
                      std::all_of(host.begin(), host.end(),
                                  [](char c) { return absl::ascii_isdigit(c) || c == '.'; });
  return !is_127 && host != "[::1]" && !absl::EqualsIgnoreCase(host, "localhost");
}

std::string PlainTextProblem(const std::vector<std::string>& urls) {
  const auto plain = std::find_if(urls.begin(), urls.end(), IsPlainTextOffHost);
  if (plain == urls.end()) return "";
  return absl::StrCat(
      "\"", *plain, "\" would carry secrets and telemetry unencrypted: write https://,",
      " or set allow_plaintext: true beside it where the network itself is private");
}

std::string MaskUserInfo(absl::string_view url) {
  const absl::string_view authority = Authority(url);
  const size_t at = authority.rfind('@');
  if (at == absl::string_view::npos) return std::string(url);
  const size_t start = authority.data() - url.data();
  return absl::StrCat(url.substr(0, start), "********", url.substr(start + at));
}

}  // namespace nightjar::config
