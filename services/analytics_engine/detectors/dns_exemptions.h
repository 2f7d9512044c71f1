// Domains whose names carry much information by design, and are no tunnel.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_DNS_EXEMPTIONS_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_DNS_EXEMPTIONS_H_

#include "absl/strings/string_view.h"

namespace nightjar::analytics_engine {

// `registrable` is a registrable domain. Look-ups under these hold an address, a hash or a
// machine's id: block lists that mail servers ask, cloud look-ups of antivirus programs. Nobody but
// the owner receives them. Content networks are not here: their names are few.
bool IsExemptFromTunnels(absl::string_view registrable);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_DNS_EXEMPTIONS_H_
