// Which list hits and which signals of single events are worth an alert: one matcher with rows of
// data.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_RULES_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_RULES_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/event.pb.h"
#include "services/analytics_engine/detectors/finding.h"
#include "services/common/signals/facts.h"
#include "services/common/signals/rules.h"

namespace nightjar::analytics_engine {

// What a finding is about, and so what repeated ones are folded by.
enum class RuleKey {
  kDomain,  // the registrable domain of the name asked for, else the name, else the address
  kPort,    // the destination's port, as "tcp/4444"
};

struct SignalRule {
  const char* signal;  // name of a row of signals::Rules()
  unsigned types;      // signals::EventTypes it holds for
  const char* threat;  // null: only a flag, for findings that have another reason
  int severity;        // 0 without a threat
  const char* flag;    // null: none
  RuleKey key;
};

// Severity 4 and 5 are for what no benign client does; a test holds the rows against recorded
// office traffic.
const std::vector<SignalRule>& SignalRules();

struct ListRule {
  const char* list;  // name of a list in scoring.lists
  const char* threat;
  int severity;
  const char* flag;
};

const std::vector<ListRule>& ListRules();

// Lists of any other name count as blocklists.
const ListRule& FindListRule(absl::string_view list);

// Appends at most one finding a threat, the most severe. `score` is what signals::SignalSet says
// about the event of `facts`. Flags of all matching rows stand on every finding. Pure, thread-safe.
void ApplyRules(const signals::Facts& facts, const telemetry::v1::Score& score,
                std::vector<Finding>* findings);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_RULES_H_
