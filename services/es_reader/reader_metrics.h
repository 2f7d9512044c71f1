// Every metric of the reader's own, by name. The README lists them.
#ifndef SERVICES_ES_READER_READER_METRICS_H_
#define SERVICES_ES_READER_READER_METRICS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "services/common/metrics/metrics.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace nightjar::es_reader {

// Thread-safe. `metrics` outlives it.
class ReaderMetrics {
 public:
  explicit ReaderMetrics(metrics::Metrics& metrics);

  void Search(absl::string_view result);  // ok, too_large, push_back, moved, failed
  prometheus::Gauge& Lag(const std::string& index, int shard);
  prometheus::Gauge& Reached(const std::string& index, int shard);
  void Forget(prometheus::Gauge& lag, prometheus::Gauge& reached);

  prometheus::Counter& bytes_read;
  prometheus::Counter& holes_late;
  prometheus::Counter& holes_proved;
  prometheus::Counter& visibility_assumed;
  prometheus::Counter& refreshes_forced;
  prometheus::Counter& epoch_changes;
  prometheus::Counter& deleted_before_drained;
  prometheus::Counter& position_saves;
  prometheus::Counter& position_save_failures;
  prometheus::Gauge& quarantine_full;
  prometheus::Gauge& searches_allowed;
  prometheus::Histogram& batch_seconds;

 private:
  metrics::Metrics& metrics_;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_READER_METRICS_H_
