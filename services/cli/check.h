// nightjar check: whether a configuration can be used, and what it would do.
#ifndef SERVICES_CLI_CHECK_H_
#define SERVICES_CLI_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/common/config/config.h"

namespace nightjar::cli {

// Loads every section, the scope file and the lists, then lets each stage that the configuration
// needs check it by itself, where FindProgram (stages.h) finds its program by the last two. The
// text for a person: warnings, where events go, what is masked on the way, and "OK". Else the error
// of the first thing refused, with exit code 78. On the main thread.
absl::StatusOr<std::string> Check(const std::string& config_path, const std::string& own_folder,
                                  const std::string& libexec);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_CHECK_H_
