#include "services/cli/error_relay.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace nightjar::cli {
namespace {

constexpr char kErrorPrefix[] = "error: ";

void WriteAll(absl::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody reads our standard error any more
    text.remove_prefix(static_cast<size_t>(n));
  }
}

}  // namespace

ErrorRelay::ErrorRelay(int pipe) : pipe_(pipe), thread_([this] { Run(); }) {}

ErrorRelay::~ErrorRelay() {
  if (thread_.joinable()) thread_.join();
  WriteAll(kept_);
  close(pipe_);
}

std::string ErrorRelay::TakeLastWords() {
  if (thread_.joinable()) thread_.join();
  const std::string line = std::exchange(kept_, "");
  return std::string(absl::StripAsciiWhitespace(absl::StripPrefix(line, kErrorPrefix)));
}

void ErrorRelay::Run() {
  std::string buffer;
  char chunk[4096];
  for (;;) {
    const ssize_t n = read(pipe_, chunk, sizeof(chunk));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    buffer.append(chunk, static_cast<size_t>(n));
    size_t end;
    while ((end = buffer.find('\n')) != std::string::npos) {
      Pass(absl::string_view(buffer).substr(0, end + 1));
      buffer.erase(0, end + 1);
    }
    if (buffer.size() > kRelayedLineBytesMax) {
      WriteAll(buffer);
      buffer.clear();
    }
  }
  if (!buffer.empty()) Pass(buffer);
}

void ErrorRelay::Pass(absl::string_view line) {
  WriteAll(std::exchange(kept_, ""));
  if (absl::StartsWith(line, kErrorPrefix)) {
    kept_ = std::string(line);
  } else {
    WriteAll(line);
  }
}

}  // namespace nightjar::cli
