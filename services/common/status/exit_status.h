// Which exit code a failed start or run means. The codes are part of the product's contract
// (docs/architecture.md).
#ifndef SERVICES_COMMON_STATUS_EXIT_STATUS_H_
#define SERVICES_COMMON_STATUS_EXIT_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nightjar {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 64;     // wrong command line
inline constexpr int kExitInternal = 70;  // anything without a code of its own
inline constexpr int kExitFenced = 75;    // a newer reader owns the source, or a wait timed out
inline constexpr int kExitConfig = 78;    // configuration, scope file or state folder refused

// Errors that carry their exit code with them. The message must say what, which, got and what to
// do.
absl::Status ConfigError(absl::string_view message);
absl::Status FencedError(absl::string_view message);
absl::Status UsageError(absl::string_view message);

// `status` with an exit code of its own, which must not be OK.
absl::Status WithExitCode(absl::Status status, int code);

// The exit code of `status`: 0 when OK, the code it carries, else kExitInternal. Prints a failure
// on stderr, one line.
int ExitStatus(const absl::Status& status);

}  // namespace nightjar

#endif  // SERVICES_COMMON_STATUS_EXIT_STATUS_H_
