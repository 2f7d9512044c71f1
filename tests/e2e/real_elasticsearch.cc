#include "tests/e2e/real_elasticsearch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/common/status/status_macros.h"
#include "tests/e2e/process.h"

namespace nightjar::e2e {
namespace {

constexpr int kTransportDistance = 100;
constexpr absl::Duration kStartTimeout = absl::Seconds(120);
constexpr absl::Duration kKillTimeout = absl::Seconds(10);

// Binds to `port` on loopback (0: any) and lets go again. Returns the port, 0 when it is taken.
int FreePort(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  socklen_t size = sizeof(address);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

}  // namespace

absl::Status RealElasticsearch::Start() {
  for (int i = 0; i < 100 && port_ == 0; ++i) {
    const int port = FreePort(0);
    if (port + kTransportDistance < 65536 && FreePort(port + kTransportDistance) != 0) port_ = port;
  }
  const std::string log = absl::StrCat(folder_, "-start.log");
  ASSIGN_OR_RETURN(Process script,
                   Process::Start({script_, "start", absl::StrCat(port_), folder_}, log));
  ASSIGN_OR_RETURN(const int code, script.Wait(kStartTimeout));
  if (code != 0) return absl::InternalError(absl::StrCat("elasticsearch.sh: see ", log));
  std::ifstream pid_file(absl::StrCat(folder_, "/elasticsearch.pid"));
  pid_file >> pid_;
  return pid_ > 0 ? absl::OkStatus() : absl::InternalError("no elasticsearch.pid");
}

void RealElasticsearch::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  // It is not our child: gone when it cannot be signalled, or when only its entry is left.
  Await(kKillTimeout, [&] {
    std::ifstream stat(absl::StrCat("/proc/", pid_, "/stat"));
    std::string number, name, state;
    return !(stat >> number >> name >> state) || state == "Z";
  });
  pid_ = -1;
}

std::string RealElasticsearch::url() const { return absl::StrCat("http://127.0.0.1:", port_); }

}  // namespace nightjar::e2e
