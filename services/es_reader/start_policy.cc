#include "services/es_reader/start_policy.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/common/status/exit_status.h"
#include "spdlog/spdlog.h"

namespace nightjar::es_reader {
namespace {

constexpr absl::Duration kNfrOverlap = absl::Minutes(5);

}  // namespace

absl::StatusOr<StartPolicy> ResolveStart(const std::string& setting, absl::Time now) {
  if (setting == "earliest") return StartPolicy{StartPolicy::Kind::kEarliest, {}};
  if (setting == "latest") return StartPolicy{StartPolicy::Kind::kLatest, {}};
  absl::Duration back;
  if (absl::ParseDuration(setting, &back) && back >= absl::ZeroDuration() &&
      back < absl::InfiniteDuration()) {
    return StartPolicy{StartPolicy::Kind::kSince, now - back};
  }
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, setting, &time, &error)) {
    return StartPolicy{StartPolicy::Kind::kSince, time};
  }
  return ConfigError(absl::StrCat("reader.start: \"", setting,
                                  "\" is not earliest, latest, a duration (example: 24h) or a "
                                  "time (example: 2026-11-24T12:00:00Z)"));
}

std::optional<absl::Time> NfrBookmark(checkpoint::FileSystem& files, const std::string& data_dir) {
  const absl::StatusOr<std::vector<std::string>> names = files.List(data_dir);
  if (!names.ok()) return std::nullopt;  // no folder: no NFR
  std::optional<absl::Time> earliest;
  for (const std::string& name : *names) {
    // "-search" files are NFR's debug copies of queries.
    if (!absl::StartsWith(name, "elastic-") || absl::EndsWith(name, "-search")) continue;
    const std::string path = absl::StrCat(data_dir, "/", name);
    const absl::StatusOr<std::string> text = files.Read(path);
    absl::Time time;
    std::string error;
    if (!text.ok() ||
        !absl::ParseTime(absl::RFC3339_full, absl::StripAsciiWhitespace(*text), &time, &error)) {
      spdlog::warn("{}: not a time, so this bookmark of NFR is not imported", path);
      continue;
    }
    earliest = std::min(earliest.value_or(time), time);
  }
  if (!earliest) return std::nullopt;
  return *earliest - kNfrOverlap;
}

}  // namespace nightjar::es_reader
