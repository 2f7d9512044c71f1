#include "services/scorer/config.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "services/common/rpc/security_config.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::scorer {
namespace {

using Emit = config::FlowsConfig::Emit;

absl::Status Validate(const ScorerConfig& config) {
  if (config.forwarders.empty()) return ConfigError("services.ae_forwarder.address: no address");
  std::set<std::string> seen;
  for (const std::string& name : config.forwarders) {
    if (!seen.insert(name).second) {
      return ConfigError(absl::StrCat("services.ae_forwarder.address: ", name, " stands twice"));
    }
  }
  seen.clear();
  for (const signals::ListFile& list : config.lists) {
    if (!seen.insert(list.name).second) {
      return ConfigError(absl::StrCat("scoring.lists: the name ", list.name, " stands twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ScorerConfig> FromConfig(const config::Config& from) {
  ScorerConfig config;
  config.kind = from.engine.kind;
  config.scope_file = from.scope.file;
  config.emit = from.flows.emit;
  if (config.emit == Emit::kDefault) {
    config.emit = config.kind == config::EngineKind::kNightjar ? Emit::kAll : Emit::kFinalAndLong;
  }
  config.flow_period = from.flows.period;
  for (const config::ListConfig& list : from.scoring.lists) {
    config.lists.push_back({list.name, list.file, list.points});
  }
  config.bad_tlds = from.scoring.bad_tlds;
  config.threshold = from.scoring.threshold;
  config.forwarders = from.services.ae_forwarder.addresses;
  config.security = rpc::FromConfig(from.security);
  RETURN_IF_ERROR(Validate(config));
  return config;
}

}  // namespace nightjar::scorer
