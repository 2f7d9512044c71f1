#include "services/analytics_engine/sources_today.h"

#include <tuple>

#include "absl/hash/hash.h"

namespace nightjar::analytics_engine {

void SourcesToday::Add(absl::Time now, absl::string_view site, absl::string_view source_ip) {
  TurnPage(now);
  if (source_ip.empty() || hashes_.size() >= kSourcesTodayMax) return;
  hashes_.insert(absl::HashOf(site, source_ip));
}

size_t SourcesToday::Count(absl::Time now) {
  TurnPage(now);
  return hashes_.size();
}

void SourcesToday::TurnPage(absl::Time now) {
  const int64_t day = absl::ToInt64Hours(now - absl::UnixEpoch()) / 24;
  if (day == day_) return;
  day_ = day;
  hashes_.clear();
}

}  // namespace nightjar::analytics_engine
