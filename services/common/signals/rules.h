// The table of per-event rules: one row per signal.
#ifndef SERVICES_COMMON_SIGNALS_RULES_H_
#define SERVICES_COMMON_SIGNALS_RULES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "services/common/signals/facts.h"

namespace nightjar::signals {

// What is configurable about the rules. Immutable while rules run.
struct RuleSettings {
  absl::flat_hash_set<std::string> bad_tlds;  // lower case, without dot
};

enum EventTypes : unsigned { kDns = 1, kIp = 2, kHttp = 4, kTls = 8, kIcmp = 16 };

// Pure. Returns whether the event has the property and, if so, may put into `evidence` (empty
// before) what was seen.
using Matches = bool (*)(const Facts& facts, const RuleSettings& settings, std::string* evidence);

struct Rule {
  const char* name;     // the signal's stable name
  uint32_t points;      // 1 to 100
  unsigned types;       // EventTypes it can speak about
  const char* meaning;  // one line for people; stands in the scorer's README too
  Matches matches;
};

const std::vector<Rule>& Rules();

// Top-level domains that are cheap or free and often abused; our own short selection.
const std::vector<std::string>& DefaultBadTlds();

}  // namespace nightjar::signals

#endif  // SERVICES_COMMON_SIGNALS_RULES_H_
