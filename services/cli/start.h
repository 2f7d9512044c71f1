// nightjar start: every stage that the configuration needs, on this host, under this process.
#ifndef SERVICES_CLI_START_H_
#define SERVICES_CLI_START_H_

#include <string>

#include "absl/status/status.h"

namespace nightjar::cli {

// Returns when told to stop by a signal, or when a stage ends in a way that no restart can mend;
// then with the exit code of that stage. On the main thread, before any other thread.
absl::Status RunStart(const std::string& config_path);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_START_H_
