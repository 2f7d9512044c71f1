// A program started by a test, ended with it.
#ifndef TESTS_E2E_PROCESS_H_
#define TESTS_E2E_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace nightjar::e2e {

// Not thread-safe. The destructor kills what still runs.
class Process {
 public:
  // Output of both kinds is appended to `log_path`.
  static absl::StatusOr<Process> Start(const std::vector<std::string>& arguments,
                                       const std::string& log_path);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  void Signal(int signal) const;
  // Exit code, or 128 + signal. kDeadlineExceeded when it still runs.
  absl::StatusOr<int> Wait(absl::Duration timeout);
  // kill -9 and wait.
  void Kill();
  bool Running();
  // After Running() said no, or Wait: exit code, or 128 + signal.
  int exit_code() const { return exit_code_; }
  pid_t pid() const { return pid_; }
  // Peak resident memory so far, in KiB. 0 when it is gone.
  long PeakKib() const;

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  int exit_code_ = 0;
};

// Waits until `path` exists, then reads it whole. kDeadlineExceeded names the path.
absl::StatusOr<std::string> AwaitFile(const std::string& path, absl::Duration timeout);

// Polls `done` until it is true or `timeout` has passed. Returns done().
template <typename Done>
bool Await(absl::Duration timeout, Done done);

void PauseBetweenPolls();
absl::Time TestNow();

template <typename Done>
bool Await(absl::Duration timeout, Done done) {
  const absl::Time end = TestNow() + timeout;
  while (!done()) {
    if (TestNow() > end) return done();
    PauseBetweenPolls();
  }
  return true;
}

}  // namespace nightjar::e2e

#endif  // TESTS_E2E_PROCESS_H_
