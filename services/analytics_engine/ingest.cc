#include "services/analytics_engine/ingest.h"

#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "google/protobuf/arena.h"
#include "services/analytics_engine/api/alert_json.h"
#include "services/analytics_engine/api/event_decoder.h"
#include "services/analytics_engine/api/event_echo.h"
#include "services/analytics_engine/store/random_text.h"
#include "services/common/status/status_macros.h"

namespace nightjar::analytics_engine {
namespace {

using analytics_api::EventsReply;
using telemetry::v1::Batch;
using telemetry::v1::Event;

constexpr size_t kArenaBlockBytes = 256 << 10;

google::protobuf::ArenaOptions ArenaSettings() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = kArenaBlockBytes;
  options.max_block_size = kArenaBlockBytes;
  return options;
}

}  // namespace

// One body on its way through.
struct Ingest::Body {
  Body(Event::BodyCase body_type, absl::string_view lines) : type(body_type), rest(lines) {}

  // The next line that holds something; false at the end.
  bool NextLine(absl::string_view* line);
  void Reject(const char* reason);

  const Event::BodyCase type;
  absl::string_view rest;
  EventDecoder decoder;
  google::protobuf::Arena arena{ArenaSettings()};
  // The chunk: entry i of each belongs to the same event.
  Batch* batch = nullptr;
  std::vector<absl::string_view> lines;
  std::vector<std::string> indices = std::vector<std::string>(kChunkEvents);

  EventsReply reply;
  std::vector<StoredAlert> alerts;
};

bool Ingest::Body::NextLine(absl::string_view* line) {
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    *line = absl::StripAsciiWhitespace(rest.substr(0, end));
    rest.remove_prefix(end == absl::string_view::npos ? rest.size() : end + 1);
    if (!line->empty()) return true;
  }
  return false;
}

void Ingest::Body::Reject(const char* reason) {
  ++reply.rejected[reason];
  if (reply.rejected_lines.size() < kRejectedLinesMax) {
    reply.rejected_lines.push_back({reply.received, reason});
  }
}

absl::StatusOr<EventsReply> Ingest::Take(Event::BodyCase type, absl::string_view lines) {
  RETURN_IF_ERROR(Save({}));
  Body body(type, lines);
  while (DecodeChunk(body)) JudgeChunk(body);
  RETURN_IF_ERROR(Save(std::move(body.alerts)));
  Account(body);
  return std::move(body.reply);
}

bool Ingest::DecodeChunk(Body& body) {
  body.arena.Reset();
  body.batch = google::protobuf::Arena::CreateMessage<Batch>(&body.arena);
  body.lines.clear();
  const int64_t now = absl::ToUnixNanos(parts_.clock.Now());
  bool found = false;
  absl::string_view line;
  while (body.lines.size() < kChunkEvents && body.NextLine(&line)) {
    found = true;
    Event* event = body.batch->add_events();
    std::string& index = body.indices[body.lines.size()];
    if (const char* problem = body.decoder.Decode(body.type, line, event, &index)) {
      body.batch->mutable_events()->RemoveLast();
      body.Reject(problem);
    } else {
      if (event->time_unix_nano() == 0) event->set_time_unix_nano(now);
      body.lines.push_back(line);
      ++body.reply.accepted;
    }
    ++body.reply.received;
  }
  // A tap shows one index a batch: that of the first event.
  if (!body.lines.empty()) body.batch->set_index(body.indices[0]);
  return found;
}

void Ingest::JudgeChunk(Body& body) {
  parts_.monitor.Observe(*body.batch);
  const absl::Time now = parts_.clock.Now();
  std::vector<Finding> findings;
  std::lock_guard<std::mutex> lock(judge_mutex_);
  for (size_t i = 0; i < body.lines.size(); ++i) {
    const Event& event = body.batch->events(static_cast<int>(i));
    sources_.Add(now, event.site(), event.source_ip());
    parts_.detectors.Evaluate(event, body.indices[i], &findings);
    if (findings.empty()) continue;
    StoredAlert alert =
        MakeAlert(metrics::TypeName(event), EchoEvent(body.lines[i]), std::exchange(findings, {}));
    alert.id = RandomUuid();
    alert.created = now;
    body.alerts.push_back(std::move(alert));
  }
}

absl::Status Ingest::Save(std::vector<StoredAlert> alerts) {
  std::lock_guard<std::mutex> lock(save_mutex_);
  unsaved_.insert(unsaved_.end(), std::make_move_iterator(alerts.begin()),
                  std::make_move_iterator(alerts.end()));
  if (unsaved_.empty()) return absl::OkStatus();
  uint64_t dropped = 0;
  const absl::Status saved = parts_.alerts.Append(unsaved_, &dropped);
  if (!saved.ok()) {
    parts_.metrics.alerts_unsaved.Set(static_cast<double>(unsaved_.size()));
    parts_.monitor.SetCondition("database", std::string(saved.message()));
    return saved;
  }
  for (const StoredAlert& alert : unsaved_) {
    parts_.metrics.CountAlert(alert.threats[0], alert.severity);
  }
  unsaved_.clear();
  parts_.metrics.alerts_unsaved.Set(0);
  parts_.metrics.alerts_dropped.Increment(static_cast<double>(dropped));
  parts_.monitor.ClearCondition("database");
  return absl::OkStatus();
}

void Ingest::Account(const Body& body) {
  const absl::string_view type = metrics::kTypeNames[body.type - Event::kDns];
  metrics::Ledger& ledger = parts_.ledger;
  ledger.Read(type, body.reply.received);
  if (body.reply.accepted > 0) {
    ledger.Ended(telemetry::v1::OUTCOME_ACCEPTED, "", type, body.reply.accepted);
  }
  for (const auto& [reason, count] : body.reply.rejected) {
    ledger.Ended(telemetry::v1::OUTCOME_REJECTED, reason, type, count);
  }
}

void Ingest::SetLists(std::shared_ptr<const signals::ListSet> lists) {
  std::lock_guard<std::mutex> lock(judge_mutex_);
  parts_.detectors.SetLists(std::move(lists));
}

uint64_t Ingest::SourcesSeenToday() {
  std::lock_guard<std::mutex> lock(judge_mutex_);
  return sources_.Count(parts_.clock.Now());
}

}  // namespace nightjar::analytics_engine
