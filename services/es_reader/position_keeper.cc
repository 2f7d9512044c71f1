#include "services/es_reader/position_keeper.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/counter.h"
#include "services/common/status/status_macros.h"

namespace nightjar::es_reader {

PositionKeeper::PositionKeeper(checkpoint::Checkpoint& checkpoint, ReaderState& state,
                               rpc::FlowPool& flow, runtime::StageMonitor& monitor,
                               ReaderMetrics& metrics, Clock& clock)
    : checkpoint_(checkpoint),
      state_(state),
      flow_(flow),
      monitor_(monitor),
      metrics_(metrics),
      clock_(clock) {}

void PositionKeeper::Collect() {
  for (const auto& [epoch, shard] : state_.shards) {
    for (const Range& range : shard->tail.TakeClosed()) {
      state_.position.shards[epoch].closed.Add(range.from, range.to);
      advanced_.insert(epoch);
      state_.position_changed = true;
    }
  }
}

absl::Status PositionKeeper::Save(bool now) {
  std::string payload;
  {
    std::lock_guard<std::mutex> lock(state_.mutex);
    Collect();
    const bool due = now || clock_.Monotonic() - saved_at_ >= kSaveEvery;
    if (due && state_.position_changed) payload = EncodePosition(state_.position);
  }
  if (!payload.empty()) RETURN_IF_ERROR(Write(payload));
  SendDurable();
  return absl::OkStatus();
}

absl::Status PositionKeeper::Write(const std::string& payload) {
  saved_at_ = clock_.Monotonic();
  const absl::Status status = checkpoint_.Save(payload);
  if (status.ok()) {
    metrics_.position_saves.Increment();
    monitor_.ClearCondition("position");
    failing_since_.reset();
    durable_.merge(std::exchange(advanced_, {}));
  } else {
    metrics_.position_save_failures.Increment();
    monitor_.SetCondition("position",
                          absl::StrCat("cannot save the position: ", status.message(),
                                       "; without it reading stops 30 s after the first failure"));
    failing_since_ = failing_since_.value_or(saved_at_);
  }
  std::lock_guard<std::mutex> lock(state_.mutex);
  if (status.ok()) state_.position_changed = false;
  state_.position_lost = failing_since_ && saved_at_ - *failing_since_ >= kFailingMax;
  state_.changed.notify_all();
  return status;
}

void PositionKeeper::SendDurable() {
  // A message sent while not connected would be lost, and no later one may follow.
  if (durable_.empty() || !flow_.state().connected) return;
  for (const std::string& epoch : durable_) {
    telemetry::v1::Durable durable;
    durable.set_epoch(epoch);
    {
      std::lock_guard<std::mutex> lock(state_.mutex);
      const auto shard = state_.position.shards.find(epoch);
      if (shard == state_.position.shards.end()) continue;
      for (const auto& [from, to] : shard->second.closed) {
        telemetry::v1::Interval* interval = durable.add_closed();
        interval->set_from(from);
        interval->set_to(to);
      }
    }
    flow_.SendDurable(std::move(durable));
  }
  durable_.clear();
}

}  // namespace nightjar::es_reader
