// How many different sources sent telemetry today (UTC), for the account's status.
#ifndef SERVICES_ANALYTICS_ENGINE_SOURCES_TODAY_H_
#define SERVICES_ANALYTICS_ENGINE_SOURCES_TODAY_H_

#include <cstddef>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace nightjar::analytics_engine {

inline constexpr size_t kSourcesTodayMax = 1'000'000;  // counted no further

// By time of arrival. Not thread-safe.
class SourcesToday {
 public:
  void Add(absl::Time now, absl::string_view site, absl::string_view source_ip);
  size_t Count(absl::Time now);

 private:
  void TurnPage(absl::Time now);

  int64_t day_ = 0;                     // since the Unix epoch
  absl::flat_hash_set<size_t> hashes_;  // of site and address
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_SOURCES_TODAY_H_
