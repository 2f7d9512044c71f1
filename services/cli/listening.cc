#include "services/cli/listening.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "services/common/runtime/listen_address.h"

namespace nightjar::cli {
namespace {

constexpr int kConnectMsMax = 500;

bool CanConnect(const addrinfo& info) {
  const int fd =
      socket(info.ai_family, info.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, info.ai_protocol);
  if (fd < 0) return false;
  int error = connect(fd, info.ai_addr, info.ai_addrlen) == 0 ? 0 : errno;
  pollfd wait{fd, POLLOUT, 0};
  if (error == EINPROGRESS && poll(&wait, 1, kConnectMsMax) == 1) {
    socklen_t size = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  close(fd);
  return error == 0;
}

}  // namespace

bool IsListening(const std::string& address) {
  const auto parsed = runtime::ParseListenAddress(address);
  if (!parsed.ok()) return false;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(parsed->host.c_str(), absl::StrCat(parsed->port).c_str(), &hints, &found) != 0) {
    return false;
  }
  bool listening = false;
  for (const addrinfo* info = found; info != nullptr && !listening; info = info->ai_next) {
    listening = CanConnect(*info);
  }
  freeaddrinfo(found);
  return listening;
}

}  // namespace nightjar::cli
