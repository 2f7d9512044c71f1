// A connection to a log server, TCP or UDP, whose every wait is limited and can be cancelled.
#ifndef SERVICES_ALERT_POLLER_TRANSPORTS_SOCKET_H_
#define SERVICES_ALERT_POLLER_TRANSPORTS_SOCKET_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nightjar::alert_poller {

// Thread-safe. Once cancelled, for ever.
class Cancellation {
 public:
  Cancellation();
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  void Cancel();
  int fd() const { return fd_; }  // readable once cancelled

 private:
  const int fd_;
};

struct SocketAddress {
  enum class Protocol { kTcp, kUdp };
  std::string host;  // name or address; IPv6 without brackets
  int port = 0;
  Protocol protocol = Protocol::kTcp;
  std::string ToString() const;  // "tcp://10.0.0.1:514"
};

// Not thread-safe. Errors of every method: kUnavailable (the message names the address and what is
// wrong), kDeadlineExceeded after 10 s without progress (5 s for Connect), kCancelled.
class Socket {
 public:
  // `cancellation` outlives the socket.
  static absl::StatusOr<std::unique_ptr<Socket>> Connect(const SocketAddress& address,
                                                         const Cancellation& cancellation);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // All of `data`; with UDP in one datagram.
  absl::Status Send(absl::string_view data);
  // TCP: waits until the peer's host has confirmed every byte, and that it has not hung up. UDP:
  // OK.
  absl::Status AwaitTaken();
  // kUnavailable when the peer has hung up. What it has sent is thrown away.
  absl::Status CheckPeer();

 private:
  Socket(int fd, SocketAddress address, const Cancellation& cancellation)
      : fd_(fd), address_(std::move(address)), cancellation_(cancellation) {}
  absl::Status AwaitWritable(int timeout_ms);
  absl::Status Error(absl::string_view operation, int error) const;

  const int fd_;
  const SocketAddress address_;
  const Cancellation& cancellation_;
};

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_TRANSPORTS_SOCKET_H_
