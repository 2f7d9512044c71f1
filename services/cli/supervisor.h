// Keeps the stages of one host running under one command.
#ifndef SERVICES_CLI_SUPERVISOR_H_
#define SERVICES_CLI_SUPERVISOR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/cli/child_process.h"
#include "services/common/clock/clock.h"

namespace nightjar::cli {

struct StageProgram {
  std::string name;
  std::vector<std::string> arguments;  // [0] is the path of the program
  std::string address;                 // where it serves, host:port; empty: it is not waited for
};

struct SupervisorOptions {
  absl::Duration backoff_min = absl::Milliseconds(500);  // before the first restart; then doubled
  absl::Duration backoff_max = absl::Seconds(30);  // who lived longer than this starts over at min
  absl::Duration serving_wait_max = absl::Seconds(20);  // before the next stage starts anyway
  absl::Duration stop_max = absl::Seconds(25);          // from SIGTERM to kill -9, each stage
  // Before the next stage is asked too: five stages that all take stop_max end within 37 s, less
  // than the 45 s that service managers give.
  absl::Duration head_start_max = absl::Seconds(3);
};

// One Run, on the main thread. `clock` outlives it.
//
// - A stage that ends is started again after a backoff, whatever its exit code, but for 64, 75 and
//   78: starting it again cannot help, so that stops everything.
// - SIGTERM or SIGINT stops everything; a second one kills everything at once. SIGHUP goes to every
//   stage.
// - Every stage dies with this process, even when that is killed with -9.
class Supervisor {
 public:
  // Blocks the signals that Run takes. Before the first thread starts: threads inherit it.
  static void BlockSignals();

  // Sinks first.
  Supervisor(std::vector<StageProgram> programs, SupervisorOptions options, Clock& clock);

  // OK after a stop in which every stage ended by itself. Else the exit code is that of the stage
  // that made it stop, with its words; 128 + signal after a second signal; 70 when a stage had to
  // be killed.
  absl::Status Run();

 private:
  struct Child {
    StageProgram program;
    std::unique_ptr<ChildProcess> process;  // null: not running
    absl::Duration started_at;              // monotonic, as the next
    absl::Duration restart_at = absl::InfiniteDuration();
    absl::Duration backoff;
    absl::Duration kill_at;  // set when it was asked to stop
  };

  void Start(Child& child);
  void AwaitServing(Child& child);
  void StopAll();
  // Until it has ended, `end`, or a second signal.
  void AwaitEnd(const Child& child, absl::Duration end);
  void Kill(Child& child);
  // Waits for one signal, at most so long, and does what it asks for.
  void Step(absl::Duration wait_max);
  void HandleStopSignal(int signal);
  void CollectEnded();
  void HandleEnd(Child& child, int code);
  void StartDue();
  absl::Duration UntilNextStart() const;

  const SupervisorOptions options_;
  Clock& clock_;
  std::vector<Child> children_;
  bool stopping_ = false;
  bool killing_ = false;  // by a second signal
  absl::Status result_;   // the first reason to fail
};

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_SUPERVISOR_H_
