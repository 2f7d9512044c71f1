// What the scorer takes from config.yml.
#ifndef SERVICES_SCORER_CONFIG_H_
#define SERVICES_SCORER_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/common/config/config.h"
#include "services/common/rpc/security.h"
#include "services/common/signals/lists.h"

namespace nightjar::scorer {

struct ScorerConfig {
  config::EngineKind kind = config::EngineKind::kAlphaSoc;
  // scope.yml. Empty: the built-in default group.
  std::string scope_file;
  // Never kDefault: final_and_long for kind alphasoc, all for kind nightjar, which folds reports
  // itself.
  config::FlowsConfig::Emit emit = config::FlowsConfig::Emit::kFinalAndLong;
  absl::Duration flow_period = absl::Seconds(10);
  std::vector<signals::ListFile> lists;
  std::vector<std::string> bad_tlds;  // empty: the built-in ones
  uint32_t threshold = 0;
  // Addresses as written: epochs are hashed over these names.
  std::vector<std::string> forwarders;
  rpc::SecurityOptions security;
};

// Errors carry exit code 78: no forwarder or one twice, a list name twice.
absl::StatusOr<ScorerConfig> FromConfig(const config::Config& config);

}  // namespace nightjar::scorer

#endif  // SERVICES_SCORER_CONFIG_H_
