// A health probe for containers that have no shell: probe URL [TIMEOUT_SECONDS].
//
// GETs http://host[:port][/path]. Exit code 0 on status 200 only; else 1 with the reason on stderr,
// or 64 when called wrongly. Everything together takes at most the timeout, 5 s unless given.
#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr char kScheme[] = "http://";
constexpr unsigned kTimeoutSecondsDefault = 5;
constexpr unsigned kTimeoutSecondsMax = 60;
constexpr size_t kStatusLineBytesMax = 512;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 64;

struct Url {
  std::string host, port = "80", path = "/";
};

void Say(const std::string& text) {
  const std::string line = "probe: " + text + "\n";
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) _exit(kExitFailed);
}

bool ParseUrl(const std::string& text, Url* url) {
  const size_t scheme = std::strlen(kScheme);
  if (text.compare(0, scheme, kScheme) != 0) return false;
  const size_t slash = text.find('/', scheme);
  if (slash != std::string::npos) url->path = text.substr(slash);
  url->host = text.substr(scheme, slash == std::string::npos ? slash : slash - scheme);
  const size_t colon = url->host.rfind(':');
  const size_t bracket = url->host.rfind(']');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    url->port = url->host.substr(colon + 1);
    url->host.resize(colon);
  }
  if (bracket != std::string::npos && url->host[0] == '[') {
    url->host = url->host.substr(1, bracket - 1);
  }
  return !url->host.empty() && !url->port.empty();
}

// A connected socket, or -1 with what is wrong.
int Connect(const Url& url, std::string* problem) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* addresses = nullptr;
  const int found = getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &addresses);
  if (found != 0) {
    *problem = gai_strerror(found);
    return -1;
  }
  int connected = -1;
  for (const addrinfo* a = addresses; a != nullptr && connected < 0; a = a->ai_next) {
    const int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
      connected = fd;
      break;
    }
    *problem = std::strerror(errno);
    if (fd >= 0) close(fd);
  }
  freeaddrinfo(addresses);
  return connected;
}

// "HTTP/1.1 200 OK" without its end, or as much as came.
std::string StatusLine(int fd, const Url& url) {
  const std::string request =
      "GET " + url.path + " HTTP/1.1\r\nHost: " + url.host + "\r\nConnection: close\r\n\r\n";
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
  std::string line;
  char buffer[128];
  while (line.find('\r') == std::string::npos && line.size() < kStatusLineBytesMax) {
    const ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size <= 0) break;
    line.append(buffer, static_cast<size_t>(size));
  }
  return line.substr(0, line.find('\r'));
}

// "200" of "HTTP/1.1 200 OK"; "" for anything else.
std::string StatusOf(const std::string& line) {
  if (line.compare(0, 7, "HTTP/1.") != 0 || line.size() < 12 || line[8] != ' ') return "";
  return line.substr(9, 3);
}

void TimedOut(int) {
  constexpr char kText[] = "probe: no answer in time\n";
  if (write(STDERR_FILENO, kText, sizeof(kText) - 1) < 0) _exit(kExitFailed);
  _exit(kExitFailed);
}

}  // namespace

int main(int argc, char** argv) {
  Url url;
  char* end = nullptr;
  const unsigned long timeout =
      argc == 3 ? std::strtoul(argv[2], &end, 10) : kTimeoutSecondsDefault;
  const bool bad_timeout = (end != nullptr && *end != '\0') || timeout == 0;
  if (argc < 2 || argc > 3 || !ParseUrl(argv[1], &url) || bad_timeout ||
      timeout > kTimeoutSecondsMax) {
    Say("usage: probe http://host[:port][/path] [TIMEOUT_SECONDS, 1 to 60]");
    return kExitUsage;
  }
  signal(SIGALRM, TimedOut);
  alarm(static_cast<unsigned>(timeout));
  std::string problem;
  const int fd = Connect(url, &problem);
  if (fd < 0) {
    Say(url.host + " port " + url.port + ": " + problem);
    return kExitFailed;
  }
  const std::string line = StatusLine(fd, url);
  if (StatusOf(line) == "200") return 0;
  Say(url.path + ": " + (line.empty() ? "no answer" : line.substr(0, 100)));
  return kExitFailed;
}
