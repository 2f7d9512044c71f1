// The catalogue of threats: one row for each that the engine can raise.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_THREATS_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_THREATS_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace nightjar::analytics_engine {

// Ids and titles are those of AlphaSOC where it has the threat, so that its clients know them.
struct Threat {
  const char* id;
  const char* title;
  int severity;                    // the usual one, 1 informational to 5 critical
  std::vector<const char*> mitre;  // "TA0011:T1071.004": tactic and technique
  bool policy = false;             // a matter of policy rather than of infection
};

// Sorted by id. Never changes while the process lives.
const std::vector<Threat>& Threats();

// Null: no such threat.
const Threat* FindThreat(absl::string_view id);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_THREATS_H_
