// A TCP server that behaves as badly as a test wants.
#ifndef SERVICES_COMMON_HTTP_RAW_SERVER_H_
#define SERVICES_COMMON_HTTP_RAW_SERVER_H_

#include <functional>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"

namespace nightjar::http {

// Listens on 127.0.0.1, port 0, and gives one connection after the other to `handle`; when it
// returns, the connection is closed. It must not outlast the peer. Stops when destroyed.
class RawServer {
 public:
  // `head`: the request up to its first empty line, which has been read.
  using Handle = std::function<void(int connection, const std::string& head)>;

  explicit RawServer(Handle handle);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::string url() const;

  static void Write(int connection, absl::string_view text);
  // Until the peer closes.
  static void WaitForClose(int connection);
  // Makes the coming close a reset.
  static void ResetOnClose(int connection);

 private:
  void Run();

  const Handle handle_;
  int listener_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace nightjar::http

#endif  // SERVICES_COMMON_HTTP_RAW_SERVER_H_
