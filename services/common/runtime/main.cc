#include "services/common/runtime/main.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "services/common/runtime/log.h"
#include "services/common/status/exit_status.h"

namespace nightjar::runtime {
namespace {

// Wakes sigwait for RequestStop; no one else sends it.
constexpr int kWakeSignal = SIGUSR1;

struct StopState {
  std::mutex mutex;
  bool requested = false;
  absl::Status status;
};

StopState& Stop() {
  static StopState* const state = new StopState;  // outlives threads that still ask at exit
  return *state;
}

sigset_t SignalSet(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

const sigset_t& WaitedSignals() {
  static const sigset_t set = SignalSet({SIGTERM, SIGINT, SIGHUP, kWakeSignal});
  return set;
}

void SetUpProcess() {
  pthread_sigmask(SIG_BLOCK, &WaitedSignals(), nullptr);
  signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error code, not the end
  KeepMemoryPrivate();
}

// A handler, not a thread: it must work while every thread hangs. _exit is all it does. The default
// action would not do: the kernel ignores it for process 1 of a container.
void ExitAtOnce(int signal) { _exit(128 + signal); }

void EndAtNextSignal() {
  struct sigaction action {};
  action.sa_handler = ExitAtOnce;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  const sigset_t set = SignalSet({SIGTERM, SIGINT});
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool StopRequested() {
  std::lock_guard<std::mutex> lock(Stop().mutex);
  return Stop().requested;
}

}  // namespace

void KeepMemoryPrivate() {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_DUMPABLE, 0);
}

int Main(int argc, char** argv, const StageInfo& stage,
         const std::function<absl::Status(const Flags&)>& run) {
  SetUpProcess();
  Flags flags;
  flags.config = "/etc/nightjar/config.yml";
  flags.listen = absl::StrCat("127.0.0.1:", stage.default_port);
  CLI::App app(stage.description, stage.name);
  app.set_version_flag("--version", absl::StrCat(stage.name, " ", Version()));
  app.add_option("--config", flags.config, "Configuration file")->capture_default_str();
  app.add_flag("--check_config", flags.check_config, "Validate the configuration and exit");
  app.add_option("--listen", flags.listen, "host:port of gRPC, port 0 for any; HTTP is 100 higher")
      ->capture_default_str();
  app.add_option("--address_file", flags.address_file,
                 "Where to write the addresses as JSON once serving");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;  // prints help, version or the mistake
  }
  return ExitStatus(run(flags));
}

void WaitForStop(const std::function<void()>& on_hangup, const std::function<bool()>& is_changed) {
  const timespec look_interval{kLookSeconds, 0};
  while (!StopRequested()) {
    if (is_changed != nullptr && is_changed()) on_hangup();
    const int signal =
        sigtimedwait(&WaitedSignals(), nullptr, is_changed == nullptr ? nullptr : &look_interval);
    if (signal == SIGTERM || signal == SIGINT) break;
    if (signal == SIGHUP) {
      ReopenLog();
      on_hangup();
    }
  }
  EndAtNextSignal();
}

void RequestStop(absl::Status status) {
  {
    std::lock_guard<std::mutex> lock(Stop().mutex);
    if (std::exchange(Stop().requested, true)) return;
    Stop().status = std::move(status);
  }
  kill(getpid(), kWakeSignal);
}

absl::Status StopStatus() {
  std::lock_guard<std::mutex> lock(Stop().mutex);
  return Stop().status;
}

const char* Version() { return "0.2.0"; }

}  // namespace nightjar::runtime
