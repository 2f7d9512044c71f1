#include "services/cli/status_screen.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/time_util.h"
#include "services/cli/silence.h"
#include "services/cli/text_table.h"
#include "services/common/metrics/ledger.h"
#include "services/common/runtime/main.h"
#include "services/common/runtime/printable.h"

namespace nightjar::cli {
namespace {

using admin::v1::StageStatus;
using google::protobuf::util::TimeUtil;

constexpr size_t kTextBytesMax = 300;
// Indices beyond are summed up in one line, so that the screen stays one.
constexpr size_t kIndicesShown = 10;

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixNanos(TimeUtil::TimestampToNanoseconds(time));
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string AgeText(absl::Duration age) {
  if (age < absl::ZeroDuration()) return "in the future";
  if (age < absl::Minutes(2)) return absl::StrCat(absl::ToInt64Seconds(age), " s");
  if (age < absl::Hours(2)) return absl::StrCat(absl::ToInt64Minutes(age), " min");
  if (age < absl::Hours(48)) return absl::StrCat(absl::ToInt64Hours(age), " h");
  return absl::StrCat(absl::ToInt64Hours(age) / 24, " d");
}

std::string Text(absl::string_view text) { return runtime::Printable(text, kTextBytesMax); }

void AddStage(const StageReport& report, absl::Time now, TextTable* table) {
  if (!report.status.ok()) {
    table->Row({report.stage, "unreachable", "", "", report.address, "", "", "", "", "", "", ""});
    table->Note(absl::StrCat("  ", Text(report.status.status().message())));
    return;
  }
  const StageStatus& status = *report.status;
  const auto ended = [&status](telemetry::v1::Outcome outcome) {
    return absl::StrCat(CountOf(status, outcome, ""));
  };
  table->Row({report.stage,
              std::string(absl::StripPrefix(admin::v1::State_Name(status.state()), "STATE_")),
              Text(status.version()), AgeText(now - ToTime(status.started_at())), report.address,
              absl::StrFormat("%.1f", status.events_per_second()),
              absl::StrCat(status.read_events()), absl::StrCat(status.in_flight_events()),
              ended(telemetry::v1::OUTCOME_ACCEPTED), ended(telemetry::v1::OUTCOME_FILTERED),
              ended(telemetry::v1::OUTCOME_REJECTED), ended(telemetry::v1::OUTCOME_QUARANTINED)});
  if (!status.reason().empty()) table->Note(absl::StrCat("  ", Text(status.reason())));
  for (const admin::v1::Peer& peer : status.peers()) {
    if (peer.connected()) continue;
    if (!peer.error().empty() && absl::StrContains(status.reason(), peer.error())) continue;
    table->Note(absl::StrCat("  not connected to ", Text(peer.name()), " ", Text(peer.address()),
                             peer.error().empty() ? "" : ": ", Text(peer.error())));
  }
}

std::string Stages(const std::vector<StageReport>& reports, absl::Time now) {
  TextTable table("lllrlrrrrrrr");
  table.Row({"STAGE", "STATE", "VERSION", "UP", "ADDRESS", "EVENTS/S", "READ", "IN FLIGHT",
             "ACCEPTED", "FILTERED", "REJECTED", "QUARANTINED"});
  for (const StageReport& report : reports) AddStage(report, now, &table);
  return table.ToString();
}

// How far es-reader is behind, by index.
std::string Lag(const StageStatus& reader) {
  struct Behind {
    uint64_t shards = 0;
    uint64_t operations = 0;
  };
  std::map<std::string, Behind> indices;
  for (const admin::v1::ShardLag& lag : reader.lag()) {
    Behind& behind = indices[lag.index()];
    ++behind.shards;
    behind.operations += lag.lag_operations();
  }
  if (indices.empty()) return "";
  TextTable table("lrr");
  table.Row({"INDEX", "SHARDS", "OPERATIONS BEHIND"});
  size_t shown = 0;
  Behind others;
  for (const auto& [index, behind] : indices) {
    if (shown < kIndicesShown) {
      table.Row({Text(index), absl::StrCat(behind.shards), absl::StrCat(behind.operations)});
      ++shown;
      continue;
    }
    others.shards += behind.shards;
    others.operations += behind.operations;
  }
  if (shown < indices.size()) {
    table.Row({absl::StrCat("(", indices.size() - shown, " more)"), absl::StrCat(others.shards),
               absl::StrCat(others.operations)});
  }
  return absl::StrCat("\n", table.ToString());
}

// Where the events that es-reader read have ended, other than at the engine.
std::string Reasons(const StageStatus& reader) {
  TextTable table("lllr");
  table.Row({"OUTCOME", "REASON", "TYPE", "EVENTS"});
  bool any = false;
  for (const telemetry::v1::OutcomeCount& count : reader.counts()) {
    if (count.outcome() == telemetry::v1::OUTCOME_ACCEPTED || count.count() == 0) continue;
    any = true;
    table.Row({std::string(metrics::OutcomeName(count.outcome())), Text(count.reason()),
               Text(count.type()), absl::StrCat(count.count())});
  }
  return any ? absl::StrCat("\n", table.ToString()) : "";
}

std::string LastRecords(const absl::StatusOr<StageStatus>& reader, absl::Time now) {
  TextTable table("llrrrl");
  table.Row({"TYPE", "LAST RECORD", "AGE", "READ", "ACCEPTED", ""});
  for (const char* type : kShownTypes) {
    const std::string reason = Text(ReasonForSilence(reader, type, now));
    if (!reader.ok()) {
      table.Row({type, "unknown", "", "", "", reason});
      continue;
    }
    const admin::v1::TypeActivity* const activity = FindActivity(*reader, type);
    const bool seen = activity != nullptr && activity->has_last_record();
    const absl::Time last = seen ? ToTime(activity->last_record()) : absl::InfinitePast();
    table.Row({type, seen ? TimeText(last) : "none", seen ? AgeText(now - last) : "",
               absl::StrCat(activity == nullptr ? 0 : activity->count()),
               absl::StrCat(CountOf(*reader, telemetry::v1::OUTCOME_ACCEPTED, type)), reason});
  }
  return absl::StrCat("\n", table.ToString());
}

std::string LastErrors(const std::vector<StageReport>& reports, absl::Time now) {
  TextTable table("lrl");
  table.Row({"LAST ERROR", "AGE", ""});
  bool answered = false;
  bool any = false;
  for (const StageReport& report : reports) {
    answered = answered || report.status.ok();
    if (!report.status.ok() || !report.status->has_last_error()) continue;
    any = true;
    const admin::v1::LastError& error = report.status->last_error();
    table.Row({report.stage, AgeText(now - ToTime(error.time())), Text(error.text())});
  }
  if (any) return absl::StrCat("\n", table.ToString());
  return answered ? "\nno errors since the start\n" : "";
}

}  // namespace

std::string StatusScreen(const std::vector<StageReport>& reports, absl::Time now) {
  const absl::StatusOr<StageStatus> reader = ReaderStatus(reports);
  std::string screen = absl::StrCat("nightjar ", runtime::Version(), ", ", TimeText(now), "\n\n",
                                    Stages(reports, now), LastRecords(reader, now));
  if (reader.ok()) absl::StrAppend(&screen, Reasons(*reader), Lag(*reader));
  absl::StrAppend(&screen, LastErrors(reports, now));
  return screen;
}

bool AllReady(const std::vector<StageReport>& reports) {
  for (const StageReport& report : reports) {
    if (!report.status.ok() || report.status->state() != admin::v1::STATE_READY) return false;
  }
  return true;
}

absl::StatusOr<StageStatus> ReaderStatus(const std::vector<StageReport>& reports) {
  for (const StageReport& report : reports) {
    if (report.stage == "es-reader") return report.status;
  }
  return absl::UnavailableError("es-reader is not part of this configuration");
}

}  // namespace nightjar::cli
