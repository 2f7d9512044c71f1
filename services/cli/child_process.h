// A program that this one starts, watches and outlives.
#ifndef SERVICES_CLI_CHILD_PROCESS_H_
#define SERVICES_CLI_CHILD_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/cli/error_relay.h"

namespace nightjar::cli {

// In a process group of its own, without standard input. What it writes to standard error goes
// through an ErrorRelay. Not thread-safe. Destroying it kills the
// group.
class ChildProcess {
 public:
  enum class Output { kInherit, kDiscard };  // standard output

  // `arguments[0]` is the path of the program. The kernel kills the child when the calling thread
  // ends, however that happens: call it from the main thread.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::vector<std::string>& arguments, Output output);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // kill -9 for it and whatever it started.
  void KillGroup() const;

  // The exit code, or 128 + signal, once it has ended; never waits.
  std::optional<int> Reap();
  // The same, and waits.
  int Wait();
  // After Wait, or Reap returned a code: why it ended, in the child's words. Empty: it did not say.
  std::string LastWords() { return relay_.TakeLastWords(); }

 private:
  ChildProcess(pid_t pid, int error_pipe) : pid_(pid), relay_(error_pipe) {}

  int Collect();

  const pid_t pid_;
  bool ended_ = false;
  ErrorRelay relay_;
};

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_CHILD_PROCESS_H_
