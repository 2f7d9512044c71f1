// Cost of judging recorded telemetry: bazel run -c opt //tests/detections:detectors_benchmark
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "services/analytics_engine/detectors/detectors.h"
#include "services/common/metrics/metrics.h"
#include "tests/detections/recording.h"

namespace nightjar::tests {
namespace {

// The same telemetry over and over, as if it went on: each round is later by its own length.
void Evaluate(benchmark::State& state, const std::string& name) {
  std::deque<telemetry::v1::Event> events = Recording(name);
  const int64_t round = events.back().time_unix_nano() - events.front().time_unix_nano();
  metrics::Metrics metrics;
  analytics_engine::Detectors detectors({}, metrics);
  std::vector<analytics_engine::Finding> findings;
  size_t next = 0;
  for (auto _ : state) {
    telemetry::v1::Event& event = events[next];
    detectors.Evaluate(event, kRecordingIndex, &findings);
    event.set_time_unix_nano(event.time_unix_nano() + round);
    if (++next == events.size()) {
      next = 0;
      findings.clear();
    }
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(Evaluate, office, "office");
BENCHMARK_CAPTURE(Evaluate, dns_tunnel, "dns-tunnel-txt");
BENCHMARK_CAPTURE(Evaluate, port_scan, "port-scan");

}  // namespace
}  // namespace nightjar::tests
