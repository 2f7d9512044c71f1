// Moves what has ended into the position, and the position onto the disk.
#ifndef SERVICES_ES_READER_POSITION_KEEPER_H_
#define SERVICES_ES_READER_POSITION_KEEPER_H_

#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/common/checkpoint/checkpoint.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/flow_pool.h"
#include "services/common/runtime/stage_monitor.h"
#include "services/es_reader/reader_metrics.h"
#include "services/es_reader/reader_state.h"

namespace nightjar::es_reader {

// Used by one thread. Everything passed in outlives it.
class PositionKeeper {
 public:
  static constexpr absl::Duration kSaveEvery = absl::Seconds(1);    // at most
  static constexpr absl::Duration kFailingMax = absl::Seconds(30);  // then reading stops

  PositionKeeper(checkpoint::Checkpoint& checkpoint, ReaderState& state, rpc::FlowPool& flow,
                 runtime::StageMonitor& monitor, ReaderMetrics& metrics, Clock& clock);

  // Collects the windows that closed, saves when there is something new and the last save is long
  // enough ago (or `now`), then tells downstream what is durable. A failed write is a condition;
  // reading goes on for kFailingMax and then stops until a write succeeds.
  absl::Status Save(bool now);

 private:
  void Collect();
  absl::Status Write(const std::string& payload);
  void SendDurable();

  checkpoint::Checkpoint& checkpoint_;
  ReaderState& state_;
  rpc::FlowPool& flow_;
  runtime::StageMonitor& monitor_;
  ReaderMetrics& metrics_;
  Clock& clock_;
  absl::Duration saved_at_ = -absl::InfiniteDuration();
  std::optional<absl::Duration> failing_since_;
  std::set<std::string> advanced_;  // epochs with windows that are not on the disk yet
  std::set<std::string> durable_;   // ... that are, and downstream does not know
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_POSITION_KEEPER_H_
