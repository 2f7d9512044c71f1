#include "services/cli/supervisor.h"

#include <signal.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/cli/listening.h"
#include "services/common/runtime/log.h"
#include "services/common/status/exit_status.h"
#include "spdlog/spdlog.h"

namespace nightjar::cli {
namespace {

constexpr absl::Duration kServingPoll = absl::Milliseconds(50);
constexpr absl::Duration kIdle = absl::Minutes(1);  // nothing to do: any wait is as good
constexpr absl::Duration kKilledWaitMax = absl::Seconds(5);

sigset_t TakenSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
  return set;
}

// 0: none came.
int AwaitSignal(absl::Duration wait_max) {
  const sigset_t set = TakenSignals();
  const timespec limit = absl::ToTimespec(std::max(wait_max, absl::ZeroDuration()));
  return std::max(0, sigtimedwait(&set, nullptr, &limit));
}

bool IsFinal(int code) { return code == kExitUsage || code == kExitFenced || code == kExitConfig; }

std::string HowItEnded(int code, const std::string& words) {
  const std::string how = code > 128 ? absl::StrCat("was ended by signal ", code - 128)
                                     : absl::StrCat("ended with exit code ", code);
  return words.empty() ? how : absl::StrCat(how, ": ", words);
}

}  // namespace

void Supervisor::BlockSignals() {
  const sigset_t set = TakenSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

Supervisor::Supervisor(std::vector<StageProgram> programs, SupervisorOptions options, Clock& clock)
    : options_(options), clock_(clock) {
  for (StageProgram& program : programs) {
    children_.emplace_back();
    children_.back().program = std::move(program);
    children_.back().backoff = options_.backoff_min;
  }
}

// Start: sinks first, each once the one before serves. Stop: sources first, each once the one
// before has ended or had its head start.
absl::Status Supervisor::Run() {
  for (Child& child : children_) {
    if (!stopping_) Start(child);
    AwaitServing(child);
  }
  while (!stopping_) Step(UntilNextStart());
  StopAll();
  return result_;
}

void Supervisor::Start(Child& child) {
  child.started_at = clock_.Monotonic();
  child.restart_at = absl::InfiniteDuration();
  auto process = ChildProcess::Start(child.program.arguments, ChildProcess::Output::kInherit);
  if (!process.ok()) {
    spdlog::warn("{}: {}", child.program.name, std::string(process.status().message()));
    child.restart_at = child.started_at + child.backoff;
    return;
  }
  child.process = *std::move(process);
  spdlog::info("{} started, pid {}", child.program.name, child.process->pid());
}

void Supervisor::AwaitServing(Child& child) {
  if (child.program.address.empty()) return;
  const absl::Duration end = clock_.Monotonic() + options_.serving_wait_max;
  while (!stopping_ && !IsListening(child.program.address)) {
    if (clock_.Monotonic() > end) {
      spdlog::warn("{} does not serve at {} after {}; the next stage starts anyway",
                   child.program.name, child.program.address,
                   absl::FormatDuration(options_.serving_wait_max));
      return;
    }
    Step(kServingPoll);
  }
}

void Supervisor::StopAll() {
  for (auto child = children_.rbegin(); child != children_.rend(); ++child) {
    if (child->process == nullptr) continue;
    child->process->Signal(SIGTERM);
    const absl::Duration now = clock_.Monotonic();
    child->kill_at = now + options_.stop_max;
    AwaitEnd(*child, std::min(now + options_.head_start_max, child->kill_at));
  }
  for (auto child = children_.rbegin(); child != children_.rend(); ++child) {
    AwaitEnd(*child, child->kill_at);
    Kill(*child);
  }
}

void Supervisor::AwaitEnd(const Child& child, absl::Duration end) {
  while (child.process != nullptr && !killing_ && clock_.Monotonic() < end) {
    Step(end - clock_.Monotonic());
  }
}

void Supervisor::Kill(Child& child) {
  if (child.process == nullptr) return;
  if (!killing_) {
    result_.Update(absl::InternalError(absl::StrCat(child.program.name, " did not stop within ",
                                                    absl::FormatDuration(options_.stop_max),
                                                    " and was killed")));
  }
  child.process->KillGroup();
  const absl::Duration gone = clock_.Monotonic() + kKilledWaitMax;
  while (child.process != nullptr && clock_.Monotonic() < gone) Step(gone - clock_.Monotonic());
}

void Supervisor::Step(absl::Duration wait_max) {
  const int signal = AwaitSignal(wait_max);
  if (signal == SIGTERM || signal == SIGINT) HandleStopSignal(signal);
  if (signal == SIGHUP) {
    runtime::ReopenLog();
    for (Child& child : children_) {
      if (child.process != nullptr) child.process->Signal(SIGHUP);
    }
  }
  CollectEnded();
  if (!stopping_) StartDue();
}

void Supervisor::HandleStopSignal(int signal) {
  if (!stopping_) {
    spdlog::info("stopping: {}", strsignal(signal));
    stopping_ = true;
    return;
  }
  killing_ = true;
  result_ =
      WithExitCode(absl::AbortedError("a second signal: every stage was killed"), 128 + signal);
  for (Child& child : children_) {
    if (child.process != nullptr) child.process->KillGroup();
  }
}

void Supervisor::CollectEnded() {
  for (Child& child : children_) {
    if (child.process == nullptr) continue;
    if (const auto code = child.process->Reap(); code.has_value()) HandleEnd(child, *code);
  }
}

void Supervisor::HandleEnd(Child& child, int code) {
  const std::string how = HowItEnded(code, child.process->LastWords());
  child.process.reset();
  const std::string& name = child.program.name;
  if (stopping_) {
    if (code == 0 || killing_) return spdlog::info("{} stopped", name);
    return spdlog::warn("{} {}", name, how);
  }
  if (IsFinal(code)) {
    stopping_ = true;
    result_ = WithExitCode(absl::FailedPreconditionError(absl::StrCat(name, " ", how)), code);
    return;
  }
  if (clock_.Monotonic() - child.started_at > options_.backoff_max) {
    child.backoff = options_.backoff_min;
  }
  spdlog::warn("{} {}; it is started again in {}", name, how, absl::FormatDuration(child.backoff));
  child.restart_at = clock_.Monotonic() + child.backoff;
  child.backoff = std::min(2 * child.backoff, options_.backoff_max);
}

void Supervisor::StartDue() {
  for (Child& child : children_) {
    if (child.process == nullptr && child.restart_at <= clock_.Monotonic()) Start(child);
  }
}

absl::Duration Supervisor::UntilNextStart() const {
  absl::Duration wait = kIdle;
  for (const Child& child : children_) {
    if (child.process == nullptr) wait = std::min(wait, child.restart_at - clock_.Monotonic());
  }
  return wait;
}

}  // namespace nightjar::cli
