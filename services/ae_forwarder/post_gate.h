// One pace for all posters: while the engine fails, a single probe at a time asks whether it is
// back.
#ifndef SERVICES_AE_FORWARDER_POST_GATE_H_
#define SERVICES_AE_FORWARDER_POST_GATE_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "absl/time/time.h"
#include "services/common/clock/clock.h"
#include "services/common/delivery/retry.h"

namespace nightjar::ae_forwarder {

// Open while posts succeed. A failure closes it for as long as delivery::Backoff says (Retry-After
// included); then one request goes through, and its success opens the gate for all. So an engine
// that says Retry-After sees one request when the time is over, not one from each poster.
// Thread-safe. `clock` outlives it.
class PostGate {
 public:
  // Names the state of the gate that a request was let through in.
  using Ticket = uint64_t;

  PostGate(Clock& clock, delivery::BackoffOptions options) : clock_(clock), backoff_(options) {}

  // Waits until a request may be sent; call exactly one of Succeeded and Failed afterwards.
  // nullopt: cancelled, call nothing.
  std::optional<Ticket> Enter();
  void Succeeded(Ticket ticket);
  // Returns how many failures there were in a row; of requests that were under way together only
  // the first counts.
  int Failed(Ticket ticket, std::optional<absl::Duration> retry_after);

  // Lets the next probe through at once: something was put right.
  void Reopen();

  // Waits for `duration`, or less when cancelled or reopened. False: cancelled.
  bool Wait(absl::Duration duration);

  // Ends every wait, now and later.
  void Cancel();

 private:
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  delivery::Backoff backoff_;
  bool cancelled_ = false;
  bool open_ = true;
  bool probing_ = false;         // a request is under way while not open_
  absl::Duration closed_until_;  // monotonic
  Ticket generation_ = 0;        // counts failures
  uint64_t reopened_ = 0;        // counts Reopen calls
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_POST_GATE_H_
