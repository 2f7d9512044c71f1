#include "services/es_reader/reader_metrics.h"

#include "prometheus/counter.h"

namespace nightjar::es_reader {
namespace {

constexpr char kLag[] = "nightjar_reader_lag_operations";
constexpr char kPosition[] = "nightjar_reader_position";
constexpr char kHolesHelp[] =
    "Sequence numbers without a document in the first page: found later, or proved to have none.";

metrics::Labels Of(const std::string& index, int shard) {
  return {{"index", index}, {"shard", std::to_string(shard)}};
}

}  // namespace

ReaderMetrics::ReaderMetrics(metrics::Metrics& metrics)
    : bytes_read(metrics.counter("nightjar_reader_page_bytes_total",
                                 "Bytes of search replies that were accepted.")),
      holes_late(metrics.counter("nightjar_reader_holes_total", kHolesHelp, {{"kind", "late"}})),
      holes_proved(
          metrics.counter("nightjar_reader_holes_total", kHolesHelp, {{"kind", "proved"}})),
      visibility_assumed(metrics.counter(
          "nightjar_reader_visibility_assumed_total",
          "Numbers taken to have no document without proof, because a refresh is forbidden.")),
      refreshes_forced(metrics.counter("nightjar_reader_refreshes_forced_total",
                                       "Refreshes asked for to prove that numbers are empty.")),
      epoch_changes(metrics.counter("nightjar_reader_epoch_changes_total",
                                    "Shards that came back with another history and are read "
                                    "again from their beginning.")),
      deleted_before_drained(
          metrics.counter("nightjar_reader_deleted_before_drained_operations_total",
                          "Operations of indices that were deleted before they were read.")),
      position_saves(
          metrics.counter("nightjar_reader_position_saves_total", "Positions written to disk.")),
      position_save_failures(metrics.counter("nightjar_reader_position_save_failures_total",
                                             "Positions that could not be written.")),
      quarantine_full(metrics.gauge("nightjar_reader_quarantine_full",
                                    "1 when the quarantine file has reached its limit and further "
                                    "documents are only counted.")),
      searches_allowed(metrics.gauge("nightjar_reader_searches_allowed",
                                     "Searches that may be in flight at once at the moment.")),
      batch_seconds(metrics.histogram("nightjar_reader_batch_seconds",
                                      "From a batch that is ready to its outcome at the engine.",
                                      {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300})),
      metrics_(metrics) {}

void ReaderMetrics::Search(absl::string_view result) {
  metrics_
      .counter("nightjar_reader_searches_total", "Searches by result.",
               {{"result", std::string(result)}})
      .Increment();
}

prometheus::Gauge& ReaderMetrics::Lag(const std::string& index, int shard) {
  return metrics_.gauge(kLag, "Operations of a shard that are not in the position yet.",
                        Of(index, shard));
}

prometheus::Gauge& ReaderMetrics::Reached(const std::string& index, int shard) {
  return metrics_.gauge(kPosition, "Highest number up to which everything is in the position.",
                        Of(index, shard));
}

void ReaderMetrics::Forget(prometheus::Gauge& lag, prometheus::Gauge& reached) {
  metrics_.Remove(kLag, lag);
  metrics_.Remove(kPosition, reached);
}

}  // namespace nightjar::es_reader
