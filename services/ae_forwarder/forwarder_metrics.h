// The forwarder's own metrics, by name. README.md lists them.
#ifndef SERVICES_AE_FORWARDER_FORWARDER_METRICS_H_
#define SERVICES_AE_FORWARDER_FORWARDER_METRICS_H_

#include <string>

#include "absl/status/status.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "services/common/metrics/metrics.h"

namespace nightjar::ae_forwarder {

// Thread-safe. `metrics` outlives it.
class ForwarderMetrics {
 public:
  explicit ForwarderMetrics(metrics::Metrics& metrics);

  void Post(const std::string& type, const absl::Status& result, size_t raw_bytes,
            size_t sent_bytes, double seconds);

  prometheus::Counter& retries;
  prometheus::Gauge& quarantine_bytes;
  prometheus::Gauge& ended_entries;
  prometheus::Gauge& engine_up;

 private:
  metrics::Metrics& metrics_;
  prometheus::Counter& raw_bytes_;
  prometheus::Counter& sent_bytes_;
  prometheus::Histogram& post_seconds_;
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_FORWARDER_METRICS_H_
