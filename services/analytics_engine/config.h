// What analytics-engine takes from config.yml.
#ifndef SERVICES_ANALYTICS_ENGINE_CONFIG_H_
#define SERVICES_ANALYTICS_ENGINE_CONFIG_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/analytics_engine/api/api_server.h"
#include "services/analytics_engine/store/key_store.h"
#include "services/common/config/config.h"
#include "services/common/network/cidr_set.h"
#include "services/common/rpc/security.h"
#include "services/common/signals/lists.h"

namespace nightjar::analytics_engine {

struct EngineConfig {
  std::string folder;    // <data.dir>/analytics_engine
  std::string database;  // in it, unless analytics_engine.database says otherwise
  ApiServerOptions api;
  // Who may talk to the API; unset: everybody, since there is TLS.
  std::optional<network::CidrSet> api_peers;
  std::vector<ConfiguredKey> api_keys;
  std::string local_key;  // file for the key of this host's stages; empty: none is made
  std::vector<signals::ListFile> lists;
  std::vector<std::string> bad_tlds;
  rpc::SecurityOptions security;
};

// The keys by configuration. Exit code 78, naming the place and never the value, for a text that is
// too short, too long, not fit for HTTP Basic or given twice.
absl::StatusOr<std::vector<ConfiguredKey>> ConfiguredKeys(const config::Config& from);

// Errors carry exit code 78. Off loopback the API needs a certificate, or the networks that may use
// it in plain text by name.
absl::StatusOr<EngineConfig> FromConfig(const config::Config& from);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_CONFIG_H_
