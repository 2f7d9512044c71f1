// Data carried in DNS names: counts the information that one source sends under one domain.
//
// After Ozery, Nadler and Shabtai, "Information-Based Heavy Hitters for Real-Time DNS Data
// Exfiltration Detection" (2023): the bytes of distinct names below a registrable domain, whatever
// they look like. Benign clients stay under 610 bytes an hour and domain, tools for tunnels need
// seconds for 1,000.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_DNS_TUNNEL_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_DNS_TUNNEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/analytics_engine/detectors/finding.h"
#include "services/analytics_engine/detectors/folding.h"
#include "services/analytics_engine/detectors/lru_map.h"
#include "services/analytics_engine/detectors/recent_set.h"
#include "services/analytics_engine/detectors/sliding_sum.h"
#include "services/analytics_engine/detectors/source.h"
#include "services/common/metrics/metrics.h"
#include "services/common/signals/facts.h"

namespace nightjar::analytics_engine {

// Bytes of distinct subdomains (dots removed) of one source under one domain. A name counts once in
// 12 to 24 hours.
inline constexpr uint64_t kTunnelBytesHour = 1000;
// When two of the secondary signs agree.
inline constexpr uint64_t kTunnelBytesHourWithSigns = 600;
// For slow ones, with one secondary sign: the distinct names of a day under one popular domain may
// be many.
inline constexpr uint64_t kTunnelBytesDay = 5000;
// From here on an hour is critical.
inline constexpr uint64_t kTunnelBytesHourCritical = 40'000;

inline constexpr size_t kTunnelSourcesMax = 32'768;
inline constexpr size_t kTunnelDomainsMax = 32;          // remembered of a source
inline constexpr size_t kTunnelNameSlotsMax = 32 << 20;  // 128 MiB for names, of all

// How a domain is named when a name ends in no suffix that anybody would choose.
inline constexpr char kNoSuffix[] = "no-TLD";

// Not thread-safe. References outlive it.
class DnsTunnel {
 public:
  DnsTunnel(Folding& folding, metrics::Metrics& metrics);

  // `facts` is of a dns event that `source` asked at `seconds` since the epoch. Not for resolvers.
  void Evaluate(const signals::Facts& facts, const Source& source, int64_t seconds,
                const std::string& index, std::vector<Finding>* findings);

 private:
  // What a source asked under a domain.
  struct Domain {
    explicit Domain(SlotBudget& budget) : names(budget) {}

    std::string name;
    RecentSet names;
    SlidingSum<12, 300> hour;
    SlidingSum<12, 7200> day;
    int64_t newest = 0;  // seconds
    // Since the first name; for the signs.
    uint32_t distinct = 0;
    uint32_t carriers = 0;     // asked with a type that answers with data
    uint32_t encoded = 0;      // look like an encoding
    uint64_t label_bytes = 0;  // of the longest label of each
    // Bytes counted since the first name, and those of the entry it displaced (SpaceSaving): the
    // one with the least makes place.
    uint64_t rank = 0;
    std::vector<Sample> samples;
  };
  struct Asker {
    std::vector<Domain> domains;
  };
  struct Question;
  struct Verdict;

  Domain& DomainOf(Asker* asker, absl::string_view name, int64_t seconds);
  void Count(const Question& question, Domain* domain);
  static Verdict Judge(const Domain& domain);
  static Finding Describe(const Domain& domain, const Verdict& verdict);

  Folding& folding_;
  SlotBudget budget_;
  LruMap<Source, Asker> askers_;
  prometheus::Counter& evictions_;
  prometheus::Counter& domain_evictions_;
  prometheus::Counter& exempt_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_DNS_TUNNEL_H_
