#include "services/analytics_engine/detectors/resolvers.h"

#include <cstdlib>

#include "services/common/network/cidr_set.h"

namespace nightjar::analytics_engine {

void Resolvers::Note(const signals::Facts& facts, const Source& client, int64_t seconds) {
  constexpr uint32_t kDnsPort = 53;
  if (!facts.destination || !network::IsPrivate(*facts.destination)) return;
  if (facts.event.destination_port() != kDnsPort) return;
  Server& server = servers_.Get(Source(*facts.destination, facts.event.site()));
  server.newest = seconds;
  const uint64_t hash = XXH3_64bits(client.address.bytes().data(), client.address.bytes().size());
  for (uint64_t& known : server.clients) {
    if (known == hash) return;
    if (known != 0) continue;
    known = hash;
    return;
  }
}

bool Resolvers::Contains(const Source& source, int64_t seconds) const {
  const Server* server = servers_.Find(source);
  return server != nullptr && server->clients.back() != 0 &&
         std::abs(seconds - server->newest) < kForgetSeconds;
}

}  // namespace nightjar::analytics_engine
