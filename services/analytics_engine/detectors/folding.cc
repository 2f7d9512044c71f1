#include "services/analytics_engine/detectors/folding.h"

#include <algorithm>
#include <cstdlib>

#include "prometheus/counter.h"

namespace nightjar::analytics_engine {
namespace {

prometheus::Counter& Suppressed(metrics::Metrics& metrics, const char* reason) {
  return metrics.counter("nightjar_engine_findings_suppressed_total",
                         "Findings that made no alert of their own.", {{"reason", reason}});
}

}  // namespace

Folding::Folding(metrics::Metrics& metrics)
    : entries_(kEntriesMax),
      folded_(Suppressed(metrics, "folded")),
      limited_(Suppressed(metrics, "limit")),
      evictions_(metrics.counter("nightjar_engine_detector_evictions_total",
                                 "Entries forgotten because a detector's memory was full.",
                                 {{"detector", "folding"}})) {}

uint64_t Folding::Admit(const Source& source, absl::string_view threat, absl::string_view key,
                        int severity, int64_t seconds) {
  const uint64_t evictions_before = entries_.evictions();
  const Id id{source, HashText(threat), HashText(key)};
  Entry& entry = entries_.Get(id);
  ++entry.count;
  const bool recent = std::abs(seconds - entry.since) < kFoldSeconds;
  const bool grew = severity > entry.severity;
  if (entry.severity != 0 && recent && !grew) {
    folded_.Increment();
    return 0;
  }
  const uint64_t count = entry.count;
  const bool first = entry.severity == 0 || !recent;
  Entry& whole = entries_.Get({source, id.threat, 0});
  if (whole.severity == 0 || std::abs(seconds - whole.since) >= kFoldSeconds) {
    whole = {seconds, severity, 0};
  }
  const bool over = first && whole.count >= kAlertsPerThreatMax && severity <= whole.severity;
  evictions_.Increment(static_cast<double>(entries_.evictions() - evictions_before));
  if (over) {
    limited_.Increment();
    return 0;
  }
  ++whole.count;
  whole.severity = std::max(whole.severity, severity);
  entries_.Get(id) = {seconds, severity, 0};
  return count;
}

void Folding::NoteAsked(uint64_t site, absl::string_view threat, absl::string_view key,
                        int64_t seconds) {
  entries_.Get(Anybody(site, threat, key)).since = seconds;
}

bool Folding::WasAsked(uint64_t site, absl::string_view threat, absl::string_view key,
                       int64_t seconds) {
  const Entry* entry = entries_.Find(Anybody(site, threat, key));
  const bool asked = entry != nullptr && std::abs(seconds - entry->since) < kFoldSeconds;
  if (asked) folded_.Increment();
  return asked;
}

Folding::Id Folding::Anybody(uint64_t site, absl::string_view threat, absl::string_view key) {
  Id id{Source(), HashText(threat), HashText(key)};
  id.source.site = site;
  return id;
}

}  // namespace nightjar::analytics_engine
