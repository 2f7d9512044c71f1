// The text forms of values: durations, sizes, truth, references and the nearest of several names.
#ifndef SERVICES_COMMON_CONFIG_VALUES_H_
#define SERVICES_COMMON_CONFIG_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace nightjar::config {

// "30s", "1h30m", "1.5h", "50ms", "0"; units as in Go. Empty for anything else, also below zero.
std::optional<absl::Duration> ParseDuration(absl::string_view text);

// Bytes: "65536", "64KiB", "1MB"; units B, KiB, MiB, GiB, TiB and kB, MB, GB, TB.
std::optional<uint64_t> ParseSize(absl::string_view text);

// true, false, yes, no, on, off in any case, as YAML 1.1 has them.
std::optional<bool> ParseBool(absl::string_view text);

// True when `text` holds "${env:" or "${file:" anywhere.
bool HasReference(absl::string_view text);

// The path in "${file:/path}"; empty for every other text.
std::string ReferencedFile(absl::string_view text);

// What "${env:NAME}" or "${file:/path}" stands for. A file's text loses one newline at its end.
// kInvalidArgument (exit code 78), naming variable or file, when it is missing, larger than
// 64 KiB, or the reference is not the whole of `text`.
absl::StatusOr<std::string> Resolve(absl::string_view text);

// The candidate within 2 edits of `name`, or within a third of its length; empty if there is none.
std::string Nearest(absl::string_view name, const std::vector<std::string>& candidates);

}  // namespace nightjar::config

#endif  // SERVICES_COMMON_CONFIG_VALUES_H_
