// What alert-poller takes from config.yml.
#ifndef SERVICES_ALERT_POLLER_CONFIG_H_
#define SERVICES_ALERT_POLLER_CONFIG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/alert_poller/poller.h"
#include "services/alert_poller/sink.h"
#include "services/common/config/config.h"
#include "services/common/rpc/security.h"
#include "services/common/scope/groups.h"

namespace nightjar::alert_poller {

struct PollerConfig {
  bool enabled = true;  // outputs.enabled
  PollerOptions poller;
  std::vector<SinkConfig> sinks;
  std::string state_folder;   // <data.dir>/alert_poller
  std::string scope_file;     // empty: the built-in group
  std::string bookmark_file;  // NFR's data.file, imported at the first start; empty: none
  rpc::SecurityOptions security;
  std::string destination;  // one line for the log: where alerts come from and go to
};

// Errors carry exit code 78: no API key, an engine host that is no URL, no sink.
absl::StatusOr<PollerConfig> FromConfig(const config::Config& from);

// The scope file's groups, or the built-in one. Exit code 78.
absl::StatusOr<std::vector<scope::Group>> GroupsOf(const PollerConfig& config);

// The bookmark that NFR left in `bookmark_file`; empty when there is no file, or none in it. Exit
// code 78 when it cannot be read or is longer than a bookmark.
absl::StatusOr<std::string> NfrBookmark(const std::string& bookmark_file);

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_CONFIG_H_
