// When a sender gives up its stream for another, which may lead to another taker: streams do not
// move by themselves.
#ifndef SERVICES_COMMON_RPC_FLOW_ROTATION_H_
#define SERVICES_COMMON_RPC_FLOW_ROTATION_H_

#include <optional>

#include "absl/random/random.h"
#include "absl/time/time.h"

namespace nightjar::rpc {

// How long streams are kept; each is drawn between the two.
struct FlowRotation {
  // Those that had to take the taker that was there: the first, and after one broke off.
  absl::Duration settle_min = absl::Seconds(5);
  absl::Duration settle_max = absl::Seconds(10);
  // The others.
  absl::Duration life_min = absl::Minutes(5);
  absl::Duration life_max = absl::Minutes(10);
};

// Of one sender, over its streams. A stream that is due retires: it takes nothing new, and is left
// once all is acked, so that nothing is repeated. Not thread-safe.
class RotationTimer {
 public:
  // How long a stream retires. No last ack within that: the stage below has other worries, and the
  // stream is kept for a while.
  static constexpr absl::Duration kRetireMax = absl::Seconds(5);

  explicit RotationTimer(const std::optional<FlowRotation>& limits) : limits_(limits) {}

  void OnConnected(absl::Duration now);
  // `due` has come: retiring() changes.
  void OnDue(absl::Duration now);
  // Everything is acked. True: close the stream now (once).
  bool OnAcked();
  void OnClosed();

  absl::Duration due() const { return due_; }  // on the clock of `now`; infinite: never
  bool retiring() const { return state_ != State::kKept; }
  bool leaving() const { return state_ == State::kLeaving; }
  bool settled() const { return settled_; }  // the stream before was left for the present one

 private:
  enum class State { kKept, kRetiring, kLeaving };
  absl::Duration Settle();
  absl::Duration Between(absl::Duration min, absl::Duration max);

  const std::optional<FlowRotation> limits_;
  State state_ = State::kKept;
  bool settled_ = false;
  absl::Duration due_ = absl::InfiniteDuration();
  absl::BitGen random_;
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_FLOW_ROTATION_H_
