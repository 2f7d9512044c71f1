#include "services/common/runtime/bounded_http.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

namespace nightjar::runtime {
namespace {

constexpr char kBusy[] =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

// How soon a stream that waits for its peer looks whether the server stops.
constexpr int kStopLookMs = 50;

// Set while a connection is handled only to be refused.
thread_local bool refusing = false;

// The library's threads, with an end to their queue.
class BoundedQueue final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> handle) override {
    if (waiting_.fetch_add(1) >= kHttpWaitingMax + kHttpThreads) {
      --waiting_;
      refusing = true;
      handle();  // which owns the socket
      refusing = false;
      return;
    }
    threads_.enqueue([this, handle = std::move(handle)] {
      handle();
      --waiting_;
    });
  }
  void shutdown() override { threads_.shutdown(); }

 private:
  std::atomic<size_t> waiting_{0};  // or being handled
  httplib::ThreadPool threads_{kHttpThreads};
};

// Reads no more than kHttpRequestBytesMax, and is at its end when the time is up or, for what is
// yet to be read, the server stops.
class BoundedStream final : public httplib::Stream {
 public:
  BoundedStream(int socket, Clock& clock, const std::atomic<bool>& stopping)
      : socket_(socket),
        clock_(clock),
        stopping_(stopping),
        end_(clock.Monotonic() + kHttpRequestMax) {}

  bool is_readable() const override { return begin_ < size_ || Await(POLLIN); }
  bool is_writable() const override { return Await(POLLOUT); }

  ssize_t read(char* out, size_t size) override {
    if (begin_ == size_ && !Fill()) return -1;
    const size_t count = std::min(size, size_ - begin_);
    std::copy_n(buffer_ + begin_, count, out);
    begin_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* data, size_t size) override {
    while (Await(POLLOUT)) {
      const ssize_t sent = send(socket_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent >= 0 || (errno != EINTR && errno != EAGAIN)) return sent;
    }
    return -1;
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    Tell(getpeername, ip, port);
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    Tell(getsockname, ip, port);
  }
  socket_t socket() const override { return socket_; }

 private:
  bool Await(short events) const {
    while (clock_.Monotonic() < end_ && !(events == POLLIN && stopping_)) {
      pollfd wanted{socket_, events, 0};
      if (poll(&wanted, 1, kStopLookMs) == 1) return true;
    }
    return false;
  }

  bool Fill() {
    const size_t room = std::min(sizeof(buffer_), kHttpRequestBytesMax - read_);
    if (room == 0 || !Await(POLLIN)) return false;
    const ssize_t got = recv(socket_, buffer_, room, MSG_DONTWAIT);
    if (got <= 0) return false;
    begin_ = 0;
    size_ = static_cast<size_t>(got);
    read_ += size_;
    return true;
  }

  void Tell(int (*get)(int, sockaddr*, socklen_t*), std::string& ip, int& port) const {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    if (get(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host, sizeof(host), service,
                    sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
      return;
    }
    ip = host;
    port = std::atoi(service);
  }

  const int socket_;
  Clock& clock_;
  const std::atomic<bool>& stopping_;
  const absl::Duration end_;
  char buffer_[4096];
  size_t begin_ = 0;  // of what is in it and not yet taken
  size_t size_ = 0;
  size_t read_ = 0;  // in all
};

}  // namespace

BoundedHttpServer::BoundedHttpServer(Clock& clock) : clock_(clock) {
  new_task_queue = [] { return new BoundedQueue; };
  set_payload_max_length(0);
}

void BoundedHttpServer::StopReading() {
  stopping_ = true;
  stop();
}

bool BoundedHttpServer::process_and_close_socket(socket_t socket) {
  bool done = false;
  if (refusing) {
    (void)send(socket, kBusy, sizeof(kBusy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  } else {
    BoundedStream stream(socket, clock_, stopping_);
    bool closed = false;
    done = process_request(stream, /*close_connection=*/true, closed, nullptr);
  }
  ::shutdown(socket, SHUT_RDWR);
  close(socket);
  return done;
}

}  // namespace nightjar::runtime
