// The engine's own metrics; README.md lists them.
#ifndef SERVICES_ANALYTICS_ENGINE_ENGINE_METRICS_H_
#define SERVICES_ANALYTICS_ENGINE_ENGINE_METRICS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "services/common/metrics/metrics.h"

namespace nightjar::analytics_engine {

// Thread-safe. `metrics` outlives it.
class EngineMetrics {
 public:
  explicit EngineMetrics(metrics::Metrics& metrics);

  // `path` is one of the API's, or "other".
  void CountRequest(absl::string_view path, int status);
  void CountAlert(const std::string& threat, int severity);

  prometheus::Counter& body_bytes;
  prometheus::Counter& alerts_dropped;
  prometheus::Gauge& alerts_unsaved;

 private:
  metrics::Metrics& metrics_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_ENGINE_METRICS_H_
