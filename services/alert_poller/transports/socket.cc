#include "services/alert_poller/transports/socket.h"

#include <linux/sockios.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"
#include "services/common/status/status_macros.h"

namespace nightjar::alert_poller {
namespace {

constexpr int kConnectTimeoutMs = 5'000;
constexpr int kSendTimeoutMs = 10'000;
constexpr int kTakenTickMs = 5;  // between looks at what is not confirmed
constexpr int kTakenTicksMax = kSendTimeoutMs / kTakenTickMs;

}  // namespace

Cancellation::Cancellation() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(fd_ >= 0); }

Cancellation::~Cancellation() { close(fd_); }

void Cancellation::Cancel() {
  const uint64_t one = 1;
  CHECK(write(fd_, &one, sizeof(one)) == sizeof(one));
}

std::string SocketAddress::ToString() const {
  const bool bracket = absl::StrContains(host, ':');
  return absl::StrCat(protocol == Protocol::kTcp ? "tcp://" : "udp://", bracket ? "[" : "", host,
                      bracket ? "]:" : ":", port);
}

absl::Status Socket::Error(absl::string_view operation, int error) const {
  return absl::UnavailableError(
      absl::StrCat(operation, " ", address_.ToString(), ": ", std::strerror(error)));
}

absl::StatusOr<std::unique_ptr<Socket>> Socket::Connect(const SocketAddress& address,
                                                        const Cancellation& cancellation) {
  const bool tcp = address.protocol == SocketAddress::Protocol::kTcp;
  addrinfo hints{};
  hints.ai_socktype = tcp ? SOCK_STREAM : SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int failure =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (failure != 0) {
    return absl::UnavailableError(
        absl::StrCat("look up ", address.ToString(), ": ", gai_strerror(failure)));
  }
  const absl::Cleanup free_found = [found] { freeaddrinfo(found); };
  absl::Status status;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    const int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    std::unique_ptr<Socket> made(new Socket(fd, address, cancellation));
    if (connect(fd, at->ai_addr, at->ai_addrlen) == 0) return made;
    status = errno == EINPROGRESS ? made->AwaitWritable(kConnectTimeoutMs)
                                  : made->Error("connect to", errno);
    int error = 0;
    socklen_t size = sizeof(error);
    if (status.ok()) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (status.ok() && error == 0) return made;
    if (status.ok()) status = made->Error("connect to", error);
    if (absl::IsCancelled(status)) return status;
  }
  if (!status.ok()) return status;
  return absl::UnavailableError(absl::StrCat("connect to ", address.ToString(), ": no socket"));
}

Socket::~Socket() { close(fd_); }

absl::Status Socket::AwaitWritable(int timeout_ms) {
  pollfd waiting[] = {{fd_, POLLOUT, 0}, {cancellation_.fd(), POLLIN, 0}};
  int ready = 0;
  do {
    ready = poll(waiting, 2, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready > 0 && waiting[1].revents != 0) return absl::CancelledError("stopped");
  if (ready > 0) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat(address_.ToString(), " took nothing for ", timeout_ms / 1000, " s"));
}

absl::Status Socket::Send(absl::string_view data) {
  while (!data.empty()) {
    const ssize_t sent = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      data.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      RETURN_IF_ERROR(AwaitWritable(kSendTimeoutMs));
    } else if (errno != EINTR) {
      return Error("send to", errno);
    }
  }
  return absl::OkStatus();
}

absl::Status Socket::CheckPeer() {
  if (address_.protocol == SocketAddress::Protocol::kUdp) return absl::OkStatus();
  char discarded[512];
  for (;;) {
    const ssize_t received = recv(fd_, discarded, sizeof(discarded), MSG_DONTWAIT);
    if (received == 0) {
      return absl::UnavailableError(absl::StrCat(address_.ToString(), " has hung up"));
    }
    if (received < 0 && errno == EAGAIN) return absl::OkStatus();
    if (received < 0 && errno != EINTR) return Error("talk to", errno);
  }
}

absl::Status Socket::AwaitTaken() {
  if (address_.protocol == SocketAddress::Protocol::kUdp) return absl::OkStatus();
  for (int tick = 0; tick < kTakenTicksMax; ++tick) {
    RETURN_IF_ERROR(CheckPeer());
    int unconfirmed = 0;
    if (ioctl(fd_, SIOCOUTQ, &unconfirmed) != 0) return Error("look at", errno);
    if (unconfirmed == 0) return CheckPeer();
    pollfd waiting[] = {{fd_, POLLRDHUP, 0}, {cancellation_.fd(), POLLIN, 0}};
    poll(waiting, 2, kTakenTickMs);
    if (waiting[1].revents != 0) return absl::CancelledError("stopped");
  }
  return absl::DeadlineExceededError(
      absl::StrCat(address_.ToString(), " has not confirmed within ", kSendTimeoutMs / 1000, " s"));
}

}  // namespace nightjar::alert_poller
