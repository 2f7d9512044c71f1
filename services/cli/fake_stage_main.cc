// A stage for tests of the supervisor, told by its arguments how to behave:
//
//   fake-stage JOURNAL NAME [listen=PORT] [exit=CODE] [stubborn]
//
// Writes "start NAME PID", "hup NAME PID" and "term NAME PID" to JOURNAL, a FIFO.
// listen: serves on that port of 127.0.0.1 once the line is written. exit: says so on standard
// error and exits at once. stubborn: does not end at SIGTERM.
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace {

void Note(const char* journal, const std::string& what, const char* name) {
  const int fd = open(journal, O_WRONLY | O_APPEND | O_CLOEXEC);
  const std::string line = absl::StrCat(what, " ", name, " ", getpid(), "\n");
  if (write(fd, line.data(), line.size()) < 0) _exit(1);
  close(fd);
}

void Listen(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) _exit(1);
  if (listen(fd, /*backlog=*/8) != 0) _exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  bool stubborn = false;
  Note(argv[1], "start", argv[2]);
  for (int i = 3; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::string value = argument.substr(argument.find('=') + 1);
    if (argument == "stubborn") stubborn = true;
    if (absl::StartsWith(argument, "listen=")) Listen(std::atoi(value.c_str()));
    if (absl::StartsWith(argument, "exit=")) {
      const std::string words = absl::StrCat("a line of mine\nerror: told to exit ", value, "\n");
      if (write(STDERR_FILENO, words.data(), words.size()) < 0) _exit(1);
      _exit(std::atoi(value.c_str()));
    }
  }
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    Note(argv[1], signal == SIGHUP ? "hup" : "term", argv[2]);
    if (signal == SIGTERM && !stubborn) return 0;
  }
}
