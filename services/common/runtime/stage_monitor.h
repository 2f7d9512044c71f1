// What a stage tells about itself, gathered in one place for GetStatus, Tap and readiness.
#ifndef SERVICES_COMMON_RUNTIME_STAGE_MONITOR_H_
#define SERVICES_COMMON_RUNTIME_STAGE_MONITOR_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/admin/v1/stage.pb.h"
#include "proto/telemetry/v1/event.pb.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/ledger.h"

namespace nightjar::runtime {

// Thread-safe. `ledger` and `clock` outlive it. Texts may come from outside: they are made
// printable and cut to 1 KiB here.
class StageMonitor {
 public:
  StageMonitor(std::string stage, metrics::Ledger& ledger, Clock& clock);
  ~StageMonitor();
  StageMonitor(const StageMonitor&) = delete;
  StageMonitor& operator=(const StageMonitor&) = delete;

  Clock& clock() const;

  // A named condition that keeps the stage from being READY, e.g. ("elasticsearch", "401 at
  // http://...: wrong password"). Logged once when it begins or changes and once when it is
  // cleared; repeating the same text is free.
  void SetCondition(const std::string& name, const std::string& text);
  void ClearCondition(const std::string& name);

  // The reason that a READY stage gives when it has nothing to do, e.g. because it is switched off.
  void SetIdleReason(const std::string& text);

  void SetStarted();  // STARTING -> READY or DEGRADED
  void SetDraining();
  void RecordError(absl::string_view text);  // becomes last_error
  void SetPeer(const std::string& name, const std::string& address, bool connected,
               const std::string& error);
  // Of a stage that sends telemetry on, and from its start on: whether a taker is connected, and
  // what it grants.
  void SetCredit(bool connected, uint32_t batches, uint64_t bytes);
  // Asked for at every GetStatus; es-reader's lag. Once SetLagSource({}) has returned, the former
  // source is not called any more.
  void SetLagSource(std::function<std::vector<admin::v1::ShardLag>()> source);

  // Call for every batch that passes: feeds Tap and "last record per type". Cheap when nobody taps.
  void Observe(const telemetry::v1::Batch& batch);

  // Pause: the stage asks this before taking new work.
  bool paused() const;
  // `on_change` is called, one call at a time, from whatever thread pauses, resumes or ends the
  // pause. It must not call Pause or Resume. Set it before serving; the last set is the one called.
  void SetPauseHandler(std::function<void(bool paused)> on_change);
  // Returns when the pause ends by itself: after 15 minutes, counted anew by a further Pause.
  absl::Time Pause(absl::string_view reason);
  void Resume();

  admin::v1::StageStatus Status() const;
  // For /readyz: started, not draining, and within the last minute connected to a taker where there
  // must be one. An outage that the stage knows of (of Elasticsearch, of the engine; a taker that
  // grants nothing) leaves it ready: nobody else could do better, and it goes on by itself.
  bool ready() const;
  // The names of the conditions that hold, sorted.
  std::vector<std::string> ConditionNames() const;

  // A subscription to sampled events; at most 8 at a time. The callback is called from Observe's
  // thread, under a lock: once RemoveTap has returned, it is not called any more.
  class TapSink {
   public:
    virtual ~TapSink() = default;
    virtual void Offer(const telemetry::v1::Batch& batch, const telemetry::v1::Event& event) = 0;
  };
  bool AddTap(TapSink* sink);  // false: too many
  void RemoveTap(TapSink* sink);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_STAGE_MONITOR_H_
