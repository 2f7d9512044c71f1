#include "tests/fakes/fake_syslog.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "services/common/status/check.h"

namespace nightjar::fakes {

struct FakeSyslog::Impl {
  explicit Impl(FakeSyslogOptions fake_options) : options(fake_options) {
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(wake >= 0);
    Start();
  }
  ~Impl() {
    Stop();
    close(wake);
  }

  void Start() {
    const int type = options.tcp ? SOCK_STREAM : SOCK_DGRAM;
    server = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const int on = 1;
    CHECK(server >= 0);
    CHECK(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(options.port));
    socklen_t size = sizeof(address);
    CHECK(bind(server, reinterpret_cast<sockaddr*>(&address), size) == 0);
    CHECK(getsockname(server, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    options.port = ntohs(address.sin_port);
    if (options.tcp) CHECK(listen(server, 16) == 0);
    stopping = false;
    thread = std::thread([this] { Serve(); });
  }

  void Stop() {
    if (!thread.joinable()) return;
    Tell(&stopping);
    thread.join();
  }

  // Sets a flag of the serving thread and waits until it has seen it.
  void Tell(bool* flag) {
    std::unique_lock<std::mutex> lock(mutex);
    *flag = true;
    const uint64_t one = 1;
    CHECK(write(wake, &one, sizeof(one)) == sizeof(one));
    changed.wait(lock, [this, flag] { return flag == &stopping || !*flag; });
  }

  void Serve() {
    for (;;) {
      std::vector<pollfd> waiting = {{wake, POLLIN, 0}, {server, POLLIN, 0}};
      for (const auto& [fd, partial] : connections) waiting.push_back({fd, POLLIN, 0});
      poll(waiting.data(), waiting.size(), -1);
      if (waiting[0].revents != 0 && !Obey()) return;
      if (waiting[1].revents != 0) TakeServer();
      for (size_t i = 2; i < waiting.size(); ++i) {
        if (waiting[i].revents != 0 && connections.count(waiting[i].fd) > 0) Read(waiting[i].fd);
      }
    }
  }

  // False: stop.
  bool Obey() {
    uint64_t count = 0;
    CHECK(read(wake, &count, sizeof(count)) == sizeof(count));
    std::lock_guard<std::mutex> lock(mutex);
    if (stopping || hang_up) {
      for (const auto& [fd, partial] : connections) close(fd);
      connections.clear();
    }
    hang_up = false;
    changed.notify_all();
    if (stopping) close(server);
    return !stopping;
  }

  void TakeServer() {
    if (options.tcp) {
      const int fd = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) connections[fd];
      return;
    }
    std::string datagram(65'536, '\0');
    const ssize_t bytes = recv(server, datagram.data(), datagram.size(), 0);
    if (bytes < 0) return;
    datagram.resize(static_cast<size_t>(bytes));
    Add(std::move(datagram));
  }

  void Read(int fd) {
    char bytes[65'536];
    const ssize_t count = recv(fd, bytes, sizeof(bytes), 0);
    if (count <= 0) {
      close(fd);
      connections.erase(fd);
      return;
    }
    std::string& partial = connections[fd];
    partial.append(bytes, static_cast<size_t>(count));
    for (size_t end = partial.find(options.end); end != std::string::npos;
         end = partial.find(options.end)) {
      Add(partial.substr(0, end));
      partial.erase(0, end + 1);
    }
  }

  void Add(std::string message) {
    std::lock_guard<std::mutex> lock(mutex);
    messages.push_back(std::move(message));
    changed.notify_all();
  }

  FakeSyslogOptions options;
  int wake = -1;
  int server = -1;
  std::thread thread;
  std::map<int, std::string> connections;  // of the serving thread: what is not a whole message yet
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  bool stopping = false;
  bool hang_up = false;
  std::vector<std::string> messages;
};

FakeSyslog::FakeSyslog(FakeSyslogOptions options) : impl_(new Impl(options)) {}
FakeSyslog::~FakeSyslog() = default;

int FakeSyslog::port() const { return impl_->options.port; }
void FakeSyslog::Stop() { impl_->Stop(); }
void FakeSyslog::Start() { impl_->Start(); }
void FakeSyslog::HangUp() { impl_->Tell(&impl_->hang_up); }

std::vector<std::string> FakeSyslog::messages() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->messages;
}

size_t FakeSyslog::Await(size_t count) const {
  std::unique_lock<std::mutex> lock(impl_->mutex);
  impl_->changed.wait_for(lock, std::chrono::seconds(30),
                          [&] { return impl_->messages.size() >= count; });
  return impl_->messages.size();
}

}  // namespace nightjar::fakes
