#include "services/alert_poller/transports/socket_transport.h"

#include "absl/strings/str_cat.h"
#include "services/common/status/status_macros.h"

namespace nightjar::alert_poller {
namespace {

constexpr size_t kDatagramBytesMax = 65'000;

}  // namespace

absl::Status SocketTransport::Write(absl::Span<const std::string> messages, size_t* cut) {
  if (reopen_.exchange(false)) socket_.reset();
  // A connection that was idle may have died unnoticed.
  if (socket_ != nullptr && !socket_->CheckPeer().ok()) socket_.reset();
  if (socket_ == nullptr) {
    ASSIGN_OR_RETURN(socket_, Socket::Connect(address_, cancellation_));
  }
  absl::Status status = SendAll(messages, cut);
  if (status.ok()) status = socket_->AwaitTaken();
  if (!status.ok()) socket_.reset();
  return status;
}

absl::Status SocketTransport::SendAll(absl::Span<const std::string> messages, size_t* cut) {
  const bool datagrams = address_.protocol == SocketAddress::Protocol::kUdp;
  for (const std::string& message : messages) {
    std::string framed = frame_(message);
    if (datagrams && framed.size() > kDatagramBytesMax) {
      framed.resize(kDatagramBytesMax);
      ++*cut;
    }
    RETURN_IF_ERROR(socket_->Send(framed));
  }
  return absl::OkStatus();
}

std::string SyslogFrame(absl::string_view message, absl::string_view time, absl::string_view host,
                        int pid) {
  return absl::StrCat("<9>", time, " ", host, " NFR[", pid, "]: ", message, "\n");
}

std::string GelfFrame(absl::string_view message) {
  return absl::StrCat(message, absl::string_view("\n\0", 2));
}

}  // namespace nightjar::alert_poller
