#include "services/analytics_engine/engine_metrics.h"

#include "absl/strings/str_cat.h"

namespace nightjar::analytics_engine {

EngineMetrics::EngineMetrics(metrics::Metrics& metrics)
    : body_bytes(metrics.counter("nightjar_engine_body_bytes_total",
                                 "Bytes of event bodies, decompressed")),
      alerts_dropped(metrics.counter("nightjar_engine_alerts_dropped_total",
                                     "Old alerts dropped because there are too many")),
      alerts_unsaved(metrics.gauge("nightjar_engine_alerts_unsaved",
                                   "Alerts in memory that the database did not take yet")),
      metrics_(metrics) {}

void EngineMetrics::CountRequest(absl::string_view path, int status) {
  metrics_
      .counter("nightjar_engine_requests_total", "Requests of the API by path and status",
               {{"path", std::string(path)}, {"status", absl::StrCat(status)}})
      .Increment();
}

void EngineMetrics::CountAlert(const std::string& threat, int severity) {
  metrics_
      .counter("nightjar_engine_alerts_total", "Alerts made, by threat and severity",
               {{"threat", threat}, {"severity", absl::StrCat(severity)}})
      .Increment();
}

}  // namespace nightjar::analytics_engine
