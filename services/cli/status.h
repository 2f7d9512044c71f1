// nightjar status: asks every stage how it is.
#ifndef SERVICES_CLI_STATUS_H_
#define SERVICES_CLI_STATUS_H_

#include "absl/status/status.h"
#include "services/common/clock/clock.h"
#include "services/common/config/config.h"

namespace nightjar::cli {

struct StatusOptions {
  bool json = false;
  bool watch = false;  // again every 2 s, until a signal ends the program
};

// Prints on standard output. The exit code is 0 when every stage is READY and 1 when not.
int RunStatus(const config::Config& config, const StatusOptions& options, Clock& clock);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_STATUS_H_
