#include "services/ae_forwarder/forwarder_metrics.h"

namespace nightjar::ae_forwarder {
namespace {

const char* ResultName(const absl::Status& result) {
  switch (result.code()) {
    case absl::StatusCode::kOk:
      return "ok";
    case absl::StatusCode::kInvalidArgument:
      return "refused";
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return "unauthorized";
    case absl::StatusCode::kResourceExhausted:
      return "throttled";
    case absl::StatusCode::kDeadlineExceeded:
      return "timeout";
    case absl::StatusCode::kCancelled:
      return "cancelled";
    default:
      return "failed";
  }
}

const std::vector<double>& SecondsBounds() {
  static const auto& bounds =
      *new std::vector<double>{0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60};
  return bounds;
}

}  // namespace

ForwarderMetrics::ForwarderMetrics(metrics::Metrics& metrics)
    : retries(metrics.counter("nightjar_forwarder_retries_total",
                              "Posts repeated because the engine failed.")),
      quarantine_bytes(metrics.gauge("nightjar_forwarder_quarantine_bytes",
                                     "Size of the file of refused events.")),
      ended_entries(metrics.gauge("nightjar_forwarder_ended_entries",
                                  "Intervals and hashes of ended events kept against duplicates.")),
      engine_up(metrics.gauge("nightjar_forwarder_engine_up",
                              "1 while the last post to the engine got an answer, else 0.")),
      metrics_(metrics),
      raw_bytes_(metrics.counter("nightjar_forwarder_body_bytes_total", "Bytes of posted bodies.",
                                 {{"encoding", "raw"}})),
      sent_bytes_(metrics.counter("nightjar_forwarder_body_bytes_total", "Bytes of posted bodies.",
                                  {{"encoding", "sent"}})),
      post_seconds_(metrics.histogram("nightjar_forwarder_post_seconds",
                                      "Time of one post that got an answer.", SecondsBounds())) {}

void ForwarderMetrics::Post(const std::string& type, const absl::Status& result, size_t raw_bytes,
                            size_t sent_bytes, double seconds) {
  metrics_
      .counter("nightjar_forwarder_posts_total", "Posts to the engine.",
               {{"type", type}, {"result", ResultName(result)}})
      .Increment();
  raw_bytes_.Increment(static_cast<double>(raw_bytes));
  sent_bytes_.Increment(static_cast<double>(sent_bytes));
  if (result.ok()) post_seconds_.Observe(seconds);
}

}  // namespace nightjar::ae_forwarder
