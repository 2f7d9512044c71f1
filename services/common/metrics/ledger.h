// The books of one stage: every event that comes in goes out under exactly one outcome.
#ifndef SERVICES_COMMON_METRICS_LEDGER_H_
#define SERVICES_COMMON_METRICS_LEDGER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/common/metrics/metrics.h"

namespace nightjar::metrics {

// Counts events read and ended, keeps read = ended + in flight (CHECKed: ending more than was read
// is our own bug), and exports nightjar_events_total{stage,outcome,reason,type} (outcome "read" for
// what came in) and nightjar_inflight_events{stage}. Thread-safe. `metrics` outlives it.
class Ledger {
 public:
  Ledger(Metrics& metrics, std::string stage);

  // `type` is TypeName() of the event's body.
  void Read(absl::string_view type, uint64_t count);
  void Ended(telemetry::v1::Outcome outcome, absl::string_view reason, absl::string_view type,
             uint64_t count);
  void Ended(const telemetry::v1::OutcomeCount& count);

  struct Books {
    uint64_t read = 0;
    uint64_t in_flight = 0;
    std::vector<telemetry::v1::OutcomeCount> ended;  // sorted by outcome, reason, type
  };
  // All figures of one moment.
  Books Snapshot() const;

 private:
  using Key = std::tuple<int, std::string, std::string>;
  Metrics& metrics_;
  const std::string stage_;
  std::mutex& mutex_;  // of metrics_, so that a scrape sees books that balance
  uint64_t read_ = 0;
  uint64_t ended_total_ = 0;
  std::map<std::string, prometheus::Counter*> read_counters_;
  struct Cell {
    uint64_t count = 0;
    prometheus::Counter* counter = nullptr;
  };
  std::map<Key, Cell> cells_;
  prometheus::Gauge& in_flight_gauge_;
};

// The names of an event's types in counts, metrics and the Tap filter, in the order of Event's body
// fields.
inline constexpr std::array<const char*, 7> kTypeNames = {"dns",  "ip",    "http", "tls",
                                                          "icmp", "lease", "other"};

// Index into kTypeNames; an event without a body is "other".
size_t TypeIndex(const telemetry::v1::Event& event);
absl::string_view TypeName(const telemetry::v1::Event& event);

// accepted, filtered, rejected, quarantined.
absl::string_view OutcomeName(telemetry::v1::Outcome outcome);

}  // namespace nightjar::metrics

#endif  // SERVICES_COMMON_METRICS_LEDGER_H_
