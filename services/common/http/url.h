// The parts of an http(s) URL that decide where a request goes.
#ifndef SERVICES_COMMON_HTTP_URL_H_
#define SERVICES_COMMON_HTTP_URL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nightjar::http {

struct Url {
  std::string scheme;  // http or https
  std::string host;    // lower case; IPv6 without brackets
  std::string port;    // the scheme's if the text has none

  // "http://host:port", for messages.
  std::string Origin() const;
};

// By libcurl's parser, so that both see the same host. kInvalidArgument for another scheme, a user
// part (not repeated in the message: it may hold a password) or anything that is no URL.
absl::StatusOr<Url> ParseUrl(absl::string_view text);

// True for localhost and addresses of 127.0.0.0/8 and ::1, by the text alone.
bool IsLoopback(const Url& url);
// False too for what is no URL.
bool IsLoopback(absl::string_view url);

}  // namespace nightjar::http

#endif  // SERVICES_COMMON_HTTP_URL_H_
