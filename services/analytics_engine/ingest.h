// The pump of the engine: lines of one body -> events -> findings -> alerts on disk -> the reply.
#ifndef SERVICES_ANALYTICS_ENGINE_INGEST_H_
#define SERVICES_ANALYTICS_ENGINE_INGEST_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/event.pb.h"
#include "services/analytics_engine/detectors/detectors.h"
#include "services/analytics_engine/engine_metrics.h"
#include "services/analytics_engine/sources_today.h"
#include "services/analytics_engine/store/alert_store.h"
#include "services/common/analytics_api/events_reply.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/ledger.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::analytics_engine {

inline constexpr int kChunkEvents = 1000;            // decoded at a time, which bounds memory
inline constexpr size_t kRejectedLinesMax = 50'000;  // named in a reply; all are counted

// What the pump works with; all of it outlives it.
struct IngestParts {
  Detectors& detectors;
  AlertStore& alerts;
  metrics::Ledger& ledger;
  runtime::StageMonitor& monitor;
  EngineMetrics& metrics;
  Clock& clock;
};

// Thread-safe: bodies are decoded side by side, judged one chunk at a time.
class Ingest {
 public:
  explicit Ingest(const IngestParts& parts) : parts_(parts) {}

  // Takes a body of events, one JSON object a line; empty lines do not count. Every event of a body
  // that was taken has ended in the books, and the alerts it raised are on disk.
  //
  // An error means that the database does not take alerts and that nothing of the body was counted:
  // the client sends it again. Alerts raised meanwhile are kept and saved with the next body, since
  // the detectors will not raise them again.
  //
  // kPaddingBytes (event_decoder.h) after `lines` are readable.
  absl::StatusOr<analytics_api::EventsReply> Take(telemetry::v1::Event::BodyCase type,
                                                  absl::string_view lines);

  // Judges by other lists from now on.
  void SetLists(std::shared_ptr<const signals::ListSet> lists);

  uint64_t SourcesSeenToday();

 private:
  struct Body;

  // Decodes up to kChunkEvents of the lines that are left. False: there was nothing left.
  bool DecodeChunk(Body& body);
  void JudgeChunk(Body& body);
  absl::Status Save(std::vector<StoredAlert> alerts);
  void Account(const Body& body);

  const IngestParts parts_;
  std::mutex judge_mutex_;
  SourcesToday sources_;  // guarded by judge_mutex_; so is parts_.detectors
  std::mutex save_mutex_;
  // Of bodies that could not be saved; no further body is judged then, so that there are at most
  // those of the bodies under way. Guarded by save_mutex_.
  std::vector<StoredAlert> unsaved_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_INGEST_H_
