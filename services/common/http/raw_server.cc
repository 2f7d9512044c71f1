#include "services/common/http/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"

namespace nightjar::http {

RawServer::RawServer(Handle handle) : handle_(std::move(handle)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof(address);
  CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), bytes) == 0);
  CHECK(listen(listener_, 8) == 0);
  CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &bytes) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

RawServer::~RawServer() {
  shutdown(listener_, SHUT_RDWR);  // ends the accept
  thread_.join();
  close(listener_);
}

std::string RawServer::url() const { return absl::StrCat("http://127.0.0.1:", port_); }

void RawServer::Run() {
  while (true) {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    std::string head;
    char byte;
    while (!absl::EndsWith(head, "\r\n\r\n") && recv(connection, &byte, 1, 0) == 1) {
      head += byte;
      if (!absl::ascii_isprint(head[0])) break;  // a TLS hello: it has no such end
    }
    handle_(connection, head);
    close(connection);
  }
}

void RawServer::Write(int connection, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(sent);
  }
}

void RawServer::WaitForClose(int connection) {
  char buffer[4096];
  while (recv(connection, buffer, sizeof(buffer), 0) > 0) {
  }
}

void RawServer::ResetOnClose(int connection) {
  const linger now{1, 0};
  setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

}  // namespace nightjar::http
