// What ae-forwarder takes from config.yml.
#ifndef SERVICES_AE_FORWARDER_CONFIG_H_
#define SERVICES_AE_FORWARDER_CONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/ae_forwarder/forwarder.h"
#include "services/ae_forwarder/forwarder_state.h"
#include "services/common/config/config.h"
#include "services/common/rpc/security.h"

namespace nightjar::ae_forwarder {

struct ForwarderConfig {
  ForwarderOptions options;
  StateOptions state;  // in <data.dir>/ae_forwarder
  rpc::SecurityOptions security;
  std::string destination;  // one line for the log: where events go, and how
};

// Errors carry exit code 78: no API key, an engine host that is no URL, a limit out of range.
absl::StatusOr<ForwarderConfig> FromConfig(const config::Config& from);

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_CONFIG_H_
