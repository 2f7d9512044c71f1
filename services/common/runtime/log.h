// Where log lines go and what they look like: `2026-11-24T12:00:00.123Z INFO scorer: text`, always
// one line each.
#ifndef SERVICES_COMMON_RUNTIME_LOG_H_
#define SERVICES_COMMON_RUNTIME_LOG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nightjar::runtime {

// Makes spdlog's default logger write to `file`: "stdout", "stderr", or a path that is appended to
// (created with mode 0600). `level` is debug, info, warn or error. Control characters, terminal
// escapes and invalid UTF-8 in a text are written as \xNN, so that a text from outside can neither
// forge a line nor command a terminal. Lines that cannot be written (disk full) are counted, and
// the count is written once it is possible again. Call once, before other threads log. Exit code 78
// when the level is unknown or the file cannot be opened.
absl::Status InitLog(const std::string& file, const std::string& level, const std::string& stage);

// Sets the level and returns the one before. kInvalidArgument: unknown level. Thread-safe.
absl::StatusOr<std::string> SetLogLevel(absl::string_view level);

// Writes an INFO line whatever the level: for what an operator did. Thread-safe.
void LogAlways(absl::string_view text);

// Opens the log file again, for log rotation; WaitForStop does so at SIGHUP. When that fails the
// old file is kept. Thread-safe; nothing to do for stdout and stderr.
void ReopenLog();

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_LOG_H_
