// One Tap call: events that match its filter, at its rate, to a peer that nobody waits for.
#ifndef SERVICES_COMMON_RUNTIME_TAP_STREAM_H_
#define SERVICES_COMMON_RUNTIME_TAP_STREAM_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/admin/v1/stage.pb.h"
#include "services/common/runtime/stage_monitor.h"
#include "services/common/runtime/stream_writer.h"
#include "services/common/runtime/token_bucket.h"

namespace nightjar::runtime {

struct TapFilter {
  std::string type;  // empty: all
  std::string ip;    // canonical; empty: all
  uint32_t score_min = 0;

  bool Matches(const telemetry::v1::Event& event) const;
};

// kInvalidArgument: unknown type, not an address, or a score over 100.
absl::StatusOr<TapFilter> ParseTapFilter(const admin::v1::TapRequest& request);

// Events a second. kInvalidArgument: over 100.
absl::StatusOr<uint32_t> TapRate(const admin::v1::TapRequest& request);

// At most 256 events and 4 MiB wait for the peer; what does not fit is skipped and counted, as is
// what exceeds the rate. `on_done` is called once, before it deletes itself; no Offer may come
// after.
class TapStream final : public StreamWriter<admin::v1::TapResponse>, public StageMonitor::TapSink {
 public:
  TapStream(TapFilter filter, uint32_t events_per_second, Clock& clock,
            std::function<void(TapStream*)> on_done);

  void Offer(const telemetry::v1::Batch& batch, const telemetry::v1::Event& event) override;
  void OnDone() override;

 private:
  ~TapStream() override = default;

  const TapFilter filter_;
  Clock& clock_;
  const std::function<void(TapStream*)> on_done_;
  TokenBucket bucket_;
  uint64_t skipped_ = 0;  // since the last response
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_TAP_STREAM_H_
