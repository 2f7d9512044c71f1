#include "services/common/signals/url.h"

namespace nightjar::signals {

Url ParseUrl(absl::string_view text) {
  Url url;
  const size_t scheme_end = text.find("://");
  // "://" inside a path or query ("/login?to=https://...") is no scheme.
  if (scheme_end != absl::string_view::npos && text.find_first_of("/?#") > scheme_end) {
    url.scheme = text.substr(0, scheme_end);
    text.remove_prefix(scheme_end + 3);
  }
  const size_t authority_end = text.find_first_of("/?#\\");
  absl::string_view authority = text.substr(0, authority_end);
  if (authority_end != absl::string_view::npos) {
    url.path = text.substr(authority_end);
    url.path = url.path.substr(0, url.path.find_first_of("?#"));
  }
  if (const size_t at = authority.rfind('@'); at != absl::string_view::npos) {
    url.user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  size_t host_end = authority.find(':');
  if (!authority.empty() && authority.front() == '[') {
    const size_t bracket = authority.find(']');
    if (bracket == absl::string_view::npos) return url;
    url.host = authority.substr(1, bracket - 1);
    host_end = bracket + 1;
  } else {
    url.host = authority.substr(0, host_end);
    if (!url.host.empty() && url.host.back() == '.') url.host.remove_suffix(1);
  }
  if (host_end < authority.size() && authority[host_end] == ':')
    url.port = authority.substr(host_end + 1);
  return url;
}

}  // namespace nightjar::signals
