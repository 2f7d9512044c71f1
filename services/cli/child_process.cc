#include "services/cli/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace nightjar::cli {
namespace {

constexpr int kExitCannotExecute = 127;

// Between fork and exec of a process with threads: only async-signal-safe calls.
[[noreturn]] void Become(char* const* argv, pid_t parent, int error_pipe,
                         ChildProcess::Output output) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kExitCannotExecute);  // it died before prctl
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  if (output == ChildProcess::Output::kDiscard) dup2(nothing, STDOUT_FILENO);
  dup2(error_pipe, STDERR_FILENO);
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(argv[0], argv);
  const char* const why = strerrordesc_np(errno);
  for (const char* part : {"error: cannot be executed: ", why, "\n"}) {
    (void)!write(STDERR_FILENO, part, strlen(part));
  }
  _exit(kExitCannotExecute);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const std::vector<std::string>& arguments, Output output) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  int error_pipe[2];
  if (pipe2(error_pipe, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot start ", arguments[0]));
  }
  const pid_t parent = getpid();
  const pid_t pid = _Fork();  // no fork handlers of libraries: the child executes at once
  if (pid == 0) Become(argv.data(), parent, error_pipe[1], output);
  const int error = errno;
  close(error_pipe[1]);
  if (pid < 0) {
    close(error_pipe[0]);
    return absl::ErrnoToStatus(error, absl::StrCat("cannot start ", arguments[0]));
  }
  setpgid(pid, pid);  // here too: whoever is first, the group exists when KillGroup needs it
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, error_pipe[0]));
}

ChildProcess::~ChildProcess() {
  if (ended_) return;
  KillGroup();
  waitpid(pid_, nullptr, 0);
}

void ChildProcess::Signal(int signal) const {
  if (!ended_) kill(pid_, signal);
}

void ChildProcess::KillGroup() const { kill(-pid_, SIGKILL); }

std::optional<int> ChildProcess::Reap() {
  // The group must not be killed once its number is free: look first, collect last.
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid != pid_) {
    return std::nullopt;
  }
  return Collect();
}

int ChildProcess::Wait() {
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  return Collect();
}

int ChildProcess::Collect() {
  KillGroup();
  int status = 0;
  waitpid(pid_, &status, 0);
  ended_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace nightjar::cli
