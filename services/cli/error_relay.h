// Passes on what a child writes to its standard error, line by line.
#ifndef SERVICES_CLI_ERROR_RELAY_H_
#define SERVICES_CLI_ERROR_RELAY_H_

#include <string>
#include <thread>

#include "absl/strings/string_view.h"

namespace nightjar::cli {

// Longer lines are passed on in pieces.
inline constexpr size_t kRelayedLineBytesMax = 64 << 10;

// Lines go to our standard error unchanged, each with one write: alerts may be among them. Only a
// last line "error: ...", the reason of an exit, is kept back for TakeLastWords, so that it is said
// once. A thread of its own reads; it ends when every writer has closed the pipe.
class ErrorRelay {
 public:
  // Takes over `pipe`, the reading end.
  explicit ErrorRelay(int pipe);
  ~ErrorRelay();
  ErrorRelay(const ErrorRelay&) = delete;
  ErrorRelay& operator=(const ErrorRelay&) = delete;

  // Waits until the pipe is closed. The text without "error: "; empty when there was none.
  std::string TakeLastWords();

 private:
  void Run();
  void Pass(absl::string_view line);

  const int pipe_;
  std::string kept_;  // the line "error: ...", with its end; the thread's until it has ended
  std::thread thread_;
};

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_ERROR_RELAY_H_
