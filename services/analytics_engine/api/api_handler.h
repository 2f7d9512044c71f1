// What the API answers, whatever carries it.
#ifndef SERVICES_ANALYTICS_ENGINE_API_API_HANDLER_H_
#define SERVICES_ANALYTICS_ENGINE_API_API_HANDLER_H_

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/analytics_engine/api/body_gate.h"
#include "services/analytics_engine/api/routes.h"
#include "services/analytics_engine/engine_metrics.h"
#include "services/analytics_engine/ingest.h"
#include "services/analytics_engine/store/alert_store.h"
#include "services/analytics_engine/store/key_store.h"
#include "services/common/clock/clock.h"
#include "services/common/network/cidr_set.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::analytics_engine {

inline constexpr int kBodiesMax = 8;  // in memory at a time
inline constexpr absl::Duration kBodyWaitMax = absl::Seconds(10);
inline constexpr int kRetryAfterSeconds = 5;  // told with every 429

struct ApiRequest {
  std::string method, path;
  std::string peer;           // address
  std::string authorization;  // the header
  std::map<std::string, std::string> parameters;
  // Fills in the body, decompressed and padded (event_decoder.h). kInvalidArgument says what is
  // wrong with it. Called at most once, after the key was checked.
  std::function<absl::Status(std::string* body, size_t* size)> read_body;
};

struct ApiReply {
  int status = 200;  // 200, 400, 401, 403 or 429: clients know no other
  std::string json;
};

struct ApiParts {
  Ingest& ingest;
  AlertStore& alerts;
  KeyStore& keys;
  runtime::StageMonitor& monitor;
  EngineMetrics& metrics;
  Clock& clock;
};

// Thread-safe. What it is made of outlives it.
class ApiHandler {
 public:
  // `peers`: who may talk to it besides loopback; unset: everybody (TLS).
  ApiHandler(const ApiParts& parts, std::optional<network::CidrSet> peers)
      : parts_(parts), peers_(std::move(peers)), gate_(parts.clock, kBodiesMax) {}

  ApiReply Handle(const ApiRequest& request);

 private:
  absl::StatusOr<std::string> Answer(const Route* route, const ApiRequest& request);
  absl::Status CheckPeer(const std::string& peer) const;
  absl::StatusOr<std::string> TakeEvents(const Route& route, const ApiRequest& request);
  absl::StatusOr<std::string> Alerts(const ApiRequest& request);

  const ApiParts parts_;
  const std::optional<network::CidrSet> peers_;
  BodyGate gate_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_API_HANDLER_H_
