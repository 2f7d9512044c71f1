#include "services/common/rpc/flow_rotation.h"

namespace nightjar::rpc {

void RotationTimer::OnConnected(absl::Duration now) {
  if (!limits_.has_value()) return;
  due_ = now + (settled_ ? Between(limits_->life_min, limits_->life_max) : Settle());
}

void RotationTimer::OnDue(absl::Duration now) {
  if (state_ == State::kKept) {
    state_ = State::kRetiring;
    due_ = now + kRetireMax;
  } else {
    state_ = State::kKept;
    due_ = now + Settle();
  }
}

bool RotationTimer::OnAcked() {
  if (state_ != State::kRetiring) return false;
  state_ = State::kLeaving;
  due_ = absl::InfiniteDuration();
  return true;
}

void RotationTimer::OnClosed() {
  settled_ = leaving();
  state_ = State::kKept;
  due_ = absl::InfiniteDuration();
}

absl::Duration RotationTimer::Settle() { return Between(limits_->settle_min, limits_->settle_max); }

absl::Duration RotationTimer::Between(absl::Duration min, absl::Duration max) {
  return min + absl::Uniform(random_, 0.0, 1.0) * (max - min);
}

}  // namespace nightjar::rpc
