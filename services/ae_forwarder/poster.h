// Brings one body at a time to the engine, however long that takes.
#ifndef SERVICES_AE_FORWARDER_POSTER_H_
#define SERVICES_AE_FORWARDER_POSTER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "services/ae_forwarder/bisector.h"
#include "services/ae_forwarder/body.h"
#include "services/ae_forwarder/body_result.h"
#include "services/ae_forwarder/forwarder_metrics.h"
#include "services/ae_forwarder/post_gate.h"
#include "services/common/analytics_api/engine_client.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::ae_forwarder {

// What all posters share. Thread-safe members.
struct PosterContext {
  PostGate& gate;
  RefusalGuard& guard;
  ForwarderMetrics& metrics;
  runtime::StageMonitor& monitor;
  // Between tries when only a person can help: a wrong key or path, every event refused.
  absl::Duration hold_wait;
  // The engine refused the API key: is there another one by now?
  std::function<void()> reload_api_key;
};

// One thread's worth: Deliver is called by one thread at a time. `context` outlives it.
class Poster {
 public:
  Poster(const analytics_api::EngineClientOptions& options, PosterContext& context)
      : client_(options), context_(context) {}

  // Posts `body` until every event has ended or Cancel was called: retries for ever while the
  // engine is away, is overloaded or refuses the key; bisects when it refuses the body. Events
  // refused by themselves are put in `refused` and are not ended in the result: the caller
  // quarantines them. What a 2xx reply covered is never posted again.
  BodyResult Deliver(const Body& body, std::vector<RefusedLine>* refused);

  void SetApiKey(const config::Secret& key) { client_.SetApiKey(key); }
  void Cancel() { client_.Cancel(); }

 private:
  // Posts these lines, again and again while it is worth it. OK: they have ended in `result`.
  absl::Status PostLines(const Body& body, absl::Span<const uint32_t> lines, BodyResult* result);
  // The engine failed: tells who needs to know, and how long to wait.
  void Report(const absl::Status& status, PostGate::Ticket ticket,
              std::optional<absl::Duration> retry_after);
  void ReportHold(const std::string& type, const absl::Status& status);

  analytics_api::EngineClient client_;
  PosterContext& context_;
  std::string scratch_;  // bytes of a part of a body
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_POSTER_H_
