// Messages over TCP or UDP to a log server.
#ifndef SERVICES_ALERT_POLLER_TRANSPORTS_SOCKET_TRANSPORT_H_
#define SERVICES_ALERT_POLLER_TRANSPORTS_SOCKET_TRANSPORT_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "services/alert_poller/transports/socket.h"
#include "services/alert_poller/transports/transport.h"

namespace nightjar::alert_poller {

// TCP: OK means that the peer's host has confirmed every byte; whether its program read them, TCP
// cannot tell. UDP: best effort, one datagram a message, cut at 65,000 bytes. Connects at the first
// Write and after an error.
class SocketTransport final : public Transport {
 public:
  // `frame` puts around a message what the protocol wants: header and end.
  using Frame = std::function<std::string(absl::string_view message)>;

  SocketTransport(SocketAddress address, Frame frame)
      : address_(std::move(address)), frame_(std::move(frame)) {}

  absl::Status Write(absl::Span<const std::string> messages, size_t* cut) override;
  void Reopen() override { reopen_ = true; }
  void Cancel() override { cancellation_.Cancel(); }
  std::string where() const override { return address_.ToString(); }

 private:
  absl::Status SendAll(absl::Span<const std::string> messages, size_t* cut);

  const SocketAddress address_;
  const Frame frame_;
  Cancellation cancellation_;
  std::atomic<bool> reopen_{false};
  std::unique_ptr<Socket> socket_;
};

// A message with "<9>2026-11-24T12:00:00Z host NFR[pid]: " before it and a newline behind it:
// facility user, severity alert.
std::string SyslogFrame(absl::string_view message, absl::string_view time, absl::string_view host,
                        int pid);

// A message of GELF with a newline and a NUL behind it.
std::string GelfFrame(absl::string_view message);

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_TRANSPORTS_SOCKET_TRANSPORT_H_
