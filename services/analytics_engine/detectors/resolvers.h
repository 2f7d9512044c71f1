// Which inside addresses answer DNS queries of others: what they ask themselves is others'
// business.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_RESOLVERS_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_RESOLVERS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "services/analytics_engine/detectors/lru_map.h"
#include "services/analytics_engine/detectors/source.h"
#include "services/common/signals/facts.h"

namespace nightjar::analytics_engine {

// Learned from the queries that are seen. Not thread-safe.
class Resolvers {
 public:
  static constexpr size_t kClientsMin = 3;  // sources that make an address a resolver
  static constexpr size_t kResolversMax = 1024;
  static constexpr int64_t kForgetSeconds = 86'400;  // after the last query

  Resolvers() : servers_(kResolversMax) {}

  // `facts` is of a dns event of `client`.
  void Note(const signals::Facts& facts, const Source& client, int64_t seconds);

  bool Contains(const Source& source, int64_t seconds) const;

 private:
  struct Server {
    std::array<uint64_t, kClientsMin> clients{};  // hashes; 0: free
    int64_t newest = 0;                           // seconds
  };

  LruMap<Source, Server> servers_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_RESOLVERS_H_
