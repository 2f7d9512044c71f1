// Who an event is about, for everything that is remembered per source.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_SOURCE_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_SOURCE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/event.pb.h"
#include "services/analytics_engine/detectors/finding.h"
#include "services/common/network/address.h"
#include "xxhash.h"

namespace nightjar::analytics_engine {

inline uint64_t HashText(absl::string_view text) { return XXH3_64bits(text.data(), text.size()); }

// The same private address at two sites is two sources.
struct Source {
  network::Address address;
  uint64_t site = 0;  // HashText of its name; 0: none

  Source() = default;
  Source(const network::Address& address, const std::string& site_name)
      : address(address), site(site_name.empty() ? 0 : HashText(site_name)) {}

  friend bool operator==(const Source& a, const Source& b) {
    return a.address == b.address && a.site == b.site;
  }
  template <typename H>
  friend H AbslHashValue(H h, const Source& source) {
    return H::combine(std::move(h), source.address, source.site);
  }
};

// Keeps the newest kSamplesMax.
inline void KeepSample(const telemetry::v1::Event& event, const std::string& index,
                       std::vector<Sample>* samples) {
  if (samples->size() == kSamplesMax) samples->erase(samples->begin());
  samples->push_back({index, event.document_id(), event.sensor_id(), event.site()});
}

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_SOURCE_H_
