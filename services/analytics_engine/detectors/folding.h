// Many findings about the same, one alert.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_FOLDING_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_FOLDING_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/string_view.h"
#include "services/analytics_engine/detectors/lru_map.h"
#include "services/analytics_engine/detectors/source.h"
#include "services/common/metrics/metrics.h"

namespace nightjar::analytics_engine {

// The same (source, threat, key) is let through once an hour, and earlier when its severity grows.
// Of one threat a source gets a limited number an hour, whatever the keys, so that nobody drowns
// what matters in alerts. Time is the events'; what comes an hour too early or too late is a new
// finding, so that one wrong clock silences nothing. Not thread-safe. `metrics` outlives it.
class Folding {
 public:
  static constexpr int64_t kFoldSeconds = 3600;
  static constexpr uint32_t kAlertsPerThreatMax = 20;  // of a source within kFoldSeconds
  static constexpr size_t kEntriesMax = 131'072;       // about 13 MB

  explicit Folding(metrics::Metrics& metrics);

  // 0: folded into an earlier one. Else how often it was found since the last that was let through,
  // with this time.
  uint64_t Admit(const Source& source, absl::string_view threat, absl::string_view key,
                 int severity, int64_t seconds);

  // For what resolvers ask in the name of others: whether anybody at the site (Source::site) was
  // found asking it within kFoldSeconds.
  void NoteAsked(uint64_t site, absl::string_view threat, absl::string_view key, int64_t seconds);
  bool WasAsked(uint64_t site, absl::string_view threat, absl::string_view key, int64_t seconds);

 private:
  struct Id {
    Source source;
    uint64_t threat = 0;
    uint64_t key = 0;  // 0: the entry of the whole threat

    friend bool operator==(const Id& a, const Id& b) {
      return a.source == b.source && a.threat == b.threat && a.key == b.key;
    }
    template <typename H>
    friend H AbslHashValue(H h, const Id& id) {
      return H::combine(std::move(h), id.source, id.threat, id.key);
    }
  };
  struct Entry {
    int64_t since = 0;  // of the last that was let through; of the hour for a whole threat
    int severity = 0;   // 0: none was yet
    uint64_t count = 0;
  };

  static Id Anybody(uint64_t site, absl::string_view threat, absl::string_view key);

  LruMap<Id, Entry> entries_;
  prometheus::Counter& folded_;
  prometheus::Counter& limited_;
  prometheus::Counter& evictions_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_FOLDING_H_
