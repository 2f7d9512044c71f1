#include "services/cli/telemetry_report.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "services/common/runtime/printable.h"

namespace nightjar::cli {
namespace {

using admin::v1::StageStatus;
using google::protobuf::util::TimeUtil;

constexpr size_t kReasonBytesMax = 200;

std::string Head(const char* level, absl::Time now) {
  return absl::StrCat(level, "[", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone()),
                      "] ");
}

const admin::v1::TypeActivity* ActivityOf(const StageStatus& status, const std::string& type) {
  for (const auto& activity : status.activity()) {
    if (activity.type() == type) return &activity;
  }
  return nullptr;
}

uint64_t Accepted(const StageStatus& status, const std::string& type) {
  uint64_t sum = 0;
  for (const auto& count : status.counts()) {
    const bool wanted = count.outcome() == telemetry::v1::OUTCOME_ACCEPTED && count.type() == type;
    if (wanted) sum += count.count();
  }
  return sum;
}

uint64_t Since(uint64_t before, uint64_t now) { return now < before ? now : now - before; }

}  // namespace

std::string TelemetryReport::Lines(const StageStatus& reader, const StageStatus& forwarder,
                                   absl::Time now) {
  std::string lines;
  for (const std::string& type : types_) {
    const admin::v1::TypeActivity* const activity = ActivityOf(reader, type);
    const Figures total = {activity == nullptr ? 0 : activity->count(), Accepted(forwarder, type)};
    Figures& before = before_[type];
    const uint64_t retrieved = Since(before.retrieved, total.retrieved);
    const uint64_t sent = Since(before.sent, total.sent);
    before = total;
    if (sent > 0) {
      absl::StrAppend(&lines, Head("INFO", now), "telemetry sent  events=", sent);
      if (activity != nullptr && activity->has_last_record()) {
        absl::StrAppend(&lines, " lastIngested=\"", TimeUtil::ToString(activity->last_record()),
                        "\"");
      }
    } else if (retrieved > 0) {
      absl::StrAppend(&lines, Head("INFO", now),
                      "no retrieved events in scope  retrievedEvents=", retrieved);
    } else if (reader.state() == admin::v1::STATE_READY) {
      absl::StrAppend(&lines, Head("INFO", now), "search has returned no results ");
    } else {
      absl::StrAppend(&lines, Head("WARN", now),
                      "nothing retrieved, es-reader is not ready  reason=\"",
                      runtime::Printable(reader.reason(), kReasonBytesMax), "\"");
    }
    absl::StrAppend(&lines, " name=", type, "-000\n");
  }
  return lines;
}

std::string UnreachableLine(const std::string& stage, const std::string& error, absl::Time now) {
  return absl::StrCat(Head("WARN", now), "telemetry is not reported: ", stage,
                      " does not answer  error=\"", runtime::Printable(error, kReasonBytesMax),
                      "\"\n");
}

}  // namespace nightjar::cli
