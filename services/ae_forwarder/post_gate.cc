#include "services/ae_forwarder/post_gate.h"

#include <algorithm>

namespace nightjar::ae_forwarder {
namespace {

// While a probe is under way the others wait for its end; its own timeout ends it.
constexpr absl::Duration kProbeWaitMax = absl::Minutes(10);

}  // namespace

std::optional<PostGate::Ticket> PostGate::Enter() {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto may_probe = [&] { return !probing_ && clock_.Monotonic() >= closed_until_; };
  while (!cancelled_ && !open_ && !may_probe()) {
    const absl::Duration wait = probing_ ? kProbeWaitMax : closed_until_ - clock_.Monotonic();
    clock_.WaitFor(lock, changed_, wait, [&] { return cancelled_ || open_ || may_probe(); });
  }
  if (cancelled_) return std::nullopt;
  if (!open_) probing_ = true;
  return generation_;
}

void PostGate::Succeeded(Ticket ticket) {
  std::lock_guard<std::mutex> lock(mutex_);
  // A request from before the last failure says nothing about the time after it.
  if (ticket != generation_ || open_) return;
  open_ = true;
  probing_ = false;
  backoff_.Reset();
  changed_.notify_all();
}

int PostGate::Failed(Ticket ticket, std::optional<absl::Duration> retry_after) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (ticket == generation_) {
    ++generation_;
    open_ = false;
    probing_ = false;
    closed_until_ = clock_.Monotonic() + backoff_.Next(retry_after);
    changed_.notify_all();
  }
  return backoff_.attempts();
}

void PostGate::Reopen() {
  std::lock_guard<std::mutex> lock(mutex_);
  closed_until_ = clock_.Monotonic();
  ++reopened_;
  changed_.notify_all();
}

bool PostGate::Wait(absl::Duration duration) {
  std::unique_lock<std::mutex> lock(mutex_);
  clock_.WaitFor(lock, changed_, duration,
                 [&, before = reopened_] { return cancelled_ || reopened_ != before; });
  return !cancelled_;
}

void PostGate::Cancel() {
  std::lock_guard<std::mutex> lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

}  // namespace nightjar::ae_forwarder
