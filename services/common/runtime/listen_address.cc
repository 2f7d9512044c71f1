#include "services/common/runtime/listen_address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/common/status/exit_status.h"

namespace nightjar::runtime {
namespace {

// Empty when `info` can be bound.
std::string BindProblem(const addrinfo& info) {
  const int fd = socket(info.ai_family, info.ai_socktype | SOCK_CLOEXEC, info.ai_protocol);
  if (fd < 0) return std::strerror(errno);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const bool bound = bind(fd, info.ai_addr, info.ai_addrlen) == 0 && listen(fd, /*backlog=*/1) == 0;
  std::string problem = bound ? "" : std::strerror(errno);
  close(fd);
  return problem;
}

// Empty when every address that the host stands for can be bound.
std::string BindProblem(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = absl::StrCat(address.port);
  if (const int error = getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
      error != 0) {
    return gai_strerror(error);
  }
  std::string problem;
  for (const addrinfo* info = found; info != nullptr && problem.empty(); info = info->ai_next) {
    problem = BindProblem(*info);
  }
  freeaddrinfo(found);
  return problem;
}

}  // namespace

std::string ListenAddress::ToString() const {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port)
                                      : absl::StrCat(host, ":", port);
}

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  const auto error = [&](absl::string_view problem) {
    return ConfigError(absl::StrCat("listen address \"", text, "\": ", problem,
                                    "; write host:port, e.g. 127.0.0.1:7402 or [::1]:7402"));
  };
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return error("no port");
  ListenAddress address;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &address.port) || address.port < 0 ||
      address.port > kPortMax) {
    return error("the port is not a number from 0 to 65535");
  }
  absl::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (absl::StrContains(host, ':')) {
    return error("IPv6 without brackets");
  }
  if (host.empty()) return error("no host");
  address.host = std::string(host);
  return address;
}

absl::Status CheckCanListen(const ListenAddress& address, absl::string_view purpose) {
  const std::string problem = BindProblem(address);
  if (problem.empty()) return absl::OkStatus();
  return ConfigError(
      absl::StrCat("cannot listen on ", address.ToString(), " for ", purpose, ": ", problem));
}

}  // namespace nightjar::runtime
