// Checks of addresses as people write them. Each answers what is wrong, or "" when nothing is.
#ifndef SERVICES_COMMON_CONFIG_ENDPOINT_H_
#define SERVICES_COMMON_CONFIG_ENDPOINT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace nightjar::config {

// "https://host[:port][/path]"; `schemes` are those allowed ("https://"). Names and passwords in
// the URL are refused, and the answer never repeats them.
std::string UrlProblem(absl::string_view url, const std::vector<std::string>& schemes);

// The same for a proxy, which may carry a name and a password and must not carry a path.
std::string ProxyProblem(absl::string_view url);

// "host:port" to listen at, port 0 allowed; IPv6 in brackets.
std::string ListenProblem(absl::string_view address);

// What a gRPC channel takes: "host:port", "dns:///host:port" or "unix:/path".
std::string ChannelProblem(absl::string_view address);

// What is wrong with these URLs where nothing may go unencrypted; empty when nothing is.
std::string PlainTextProblem(const std::vector<std::string>& urls);

// True for a URL whose bytes leave this host unencrypted.
bool IsPlainTextOffHost(absl::string_view url);

// The URL with name and password masked.
std::string MaskUserInfo(absl::string_view url);

}  // namespace nightjar::config

#endif  // SERVICES_COMMON_CONFIG_ENDPOINT_H_
