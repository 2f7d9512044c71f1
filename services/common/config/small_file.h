// Reads a file that belongs to the configuration, whole.
#ifndef SERVICES_COMMON_CONFIG_SMALL_FILE_H_
#define SERVICES_COMMON_CONFIG_SMALL_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace nightjar::config {

// kInvalidArgument (exit code 78), naming the path and the reason, for a file that is missing, not
// readable, not a regular file (a pipe could block for ever) or larger than `bytes_max`.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t bytes_max);

}  // namespace nightjar::config

#endif  // SERVICES_COMMON_CONFIG_SMALL_FILE_H_
