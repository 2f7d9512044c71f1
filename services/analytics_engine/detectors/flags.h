// The catalogue of flags: properties of a destination or of traffic that an alert can carry.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_FLAGS_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_FLAGS_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace nightjar::analytics_engine {

struct Flag {
  const char* name;
  const char* title;
  const char* type;  // "intel": vouched for by a list; "traffic": seen in the telemetry
};

// Sorted by name. Never changes while the process lives.
const std::vector<Flag>& Flags();

// Null: no such flag.
const Flag* FindFlag(absl::string_view name);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_FLAGS_H_
