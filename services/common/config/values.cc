#include "services/common/config/values.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/common/config/small_file.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::config {
namespace {

constexpr size_t kReferencedBytesMax = 64 << 10;
constexpr char kEnv[] = "${env:";
constexpr char kFile[] = "${file:";

constexpr std::pair<const char*, uint64_t> kSizeUnits[] = {
    // The longer of two that end alike comes first.
    {"KiB", 1ull << 10},
    {"MiB", 1ull << 20},
    {"GiB", 1ull << 30},
    {"TiB", 1ull << 40},
    {"kB", 1'000ull},
    {"MB", 1'000'000ull},
    {"GB", 1'000'000'000ull},
    {"TB", 1'000'000'000'000ull},
    {"B", 1ull},
};

// Levenshtein distance, by the row-wise algorithm of Wagner and Fischer (1974).
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

// What stands behind `prefix` in a reference of that kind; empty if it is none.
std::string Referenced(absl::string_view text, absl::string_view prefix) {
  const bool is_one = absl::ConsumePrefix(&text, prefix) && absl::ConsumeSuffix(&text, "}") &&
                      !absl::StrContains(text, "}");
  return is_one ? std::string(text) : "";
}

}  // namespace

std::optional<absl::Duration> ParseDuration(absl::string_view text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) return std::nullopt;
  if (duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) return std::nullopt;
  return duration;
}

std::optional<uint64_t> ParseSize(absl::string_view text) {
  uint64_t unit = 1;
  for (const auto& [name, bytes] : kSizeUnits) {
    if (absl::ConsumeSuffix(&text, name)) {
      unit = bytes;
      break;
    }
  }
  uint64_t count = 0;
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isdigit)) return std::nullopt;
  if (!absl::SimpleAtoi(text, &count)) return std::nullopt;
  if (count > std::numeric_limits<uint64_t>::max() / unit) return std::nullopt;
  return count * unit;
}

std::optional<bool> ParseBool(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == "true" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "no" || lower == "off") return false;
  return std::nullopt;
}

bool HasReference(absl::string_view text) {
  return absl::StrContains(text, kEnv) || absl::StrContains(text, kFile);
}

std::string ReferencedFile(absl::string_view text) { return Referenced(text, kFile); }

absl::StatusOr<std::string> Resolve(absl::string_view text) {
  if (const std::string name = Referenced(text, kEnv); !name.empty()) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      return ConfigError(absl::StrCat("environment variable ", name, " is not set"));
    }
    return std::string(value);
  }
  if (const std::string path = Referenced(text, kFile); !path.empty()) {
    ASSIGN_OR_RETURN(std::string value, ReadSmallFile(path, kReferencedBytesMax));
    if (absl::EndsWith(value, "\n")) value.pop_back();
    return value;
  }
  return ConfigError("a reference must be the whole value: ${env:NAME} or ${file:/path}");
}

std::string Nearest(absl::string_view name, const std::vector<std::string>& candidates) {
  constexpr size_t kNameBytesMax = 64;  // longer ones are no typing errors, and cost would grow
  if (name.size() > kNameBytesMax) return "";
  size_t best = std::max<size_t>(2, name.size() / 3) + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(name, candidate);
    // A name of which nothing is left is no suggestion.
    if (distance < best && distance < candidate.size()) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace nightjar::config
