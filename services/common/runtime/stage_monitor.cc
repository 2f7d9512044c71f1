#include "services/common/runtime/stage_monitor.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "services/common/runtime/main.h"
#include "services/common/runtime/pause_switch.h"
#include "services/common/runtime/printable.h"
#include "services/common/runtime/rate_meter.h"
#include "spdlog/spdlog.h"

namespace nightjar::runtime {
namespace {

using admin::v1::StageStatus;
using google::protobuf::util::TimeUtil;
using telemetry::v1::Batch;
using telemetry::v1::Event;

constexpr size_t kTapsMax = 8;
constexpr size_t kTextBytesMax = 1024;
// A taker that starts again, or moves, is back sooner.
constexpr absl::Duration kTakerAwayMax = absl::Minutes(1);

// The first so many of metrics::kTypeNames are listed before any was seen.
constexpr size_t kTypesAlwaysListed = 4;

struct Activity {
  uint64_t count = 0;
  int64_t last_record_unix_nano = 0;  // 0: none yet

  void Add(const Activity& other) {
    count += other.count;
    last_record_unix_nano = std::max(last_record_unix_nano, other.last_record_unix_nano);
  }
};
using Activities = std::array<Activity, metrics::kTypeNames.size()>;

google::protobuf::Timestamp ToProto(absl::Time time) {
  return TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(time));
}

std::string Text(absl::string_view text) { return Printable(text, kTextBytesMax); }

}  // namespace

struct StageMonitor::State {
  State(std::string stage, metrics::Ledger& ledger, Clock& clock)
      : stage(std::move(stage)),
        ledger(ledger),
        clock(clock),
        started_at(clock.Now()),
        rate(clock.Monotonic()),
        pause(clock, [this](const std::string& reason) {
          spdlog::warn("a pause ended by itself after 15 minutes: {}", reason);
          std::lock_guard<std::mutex> lock(mutex);
          RecordError(absl::StrCat("a pause ended by itself after 15 minutes: ", reason));
        }) {}

  // Both need mutex.
  std::pair<admin::v1::State, std::string> StateAndReason() const;
  void RecordError(absl::string_view text);

  const std::string stage;
  metrics::Ledger& ledger;
  Clock& clock;
  const absl::Time started_at;

  std::mutex mutex;
  bool started = false;
  bool draining = false;
  std::map<std::string, std::string> conditions;
  std::string idle_reason;
  std::map<std::pair<std::string, std::string>, admin::v1::Peer> peers;  // by name and address
  admin::v1::LastError last_error;
  bool sends_on = false;
  absl::Duration taker_seen = -absl::InfiniteDuration();  // monotonic
  uint32_t credit_batches = 0;
  uint64_t credit_bytes = 0;
  Activities activities;
  RateMeter rate;

  std::mutex lag_mutex;
  std::function<std::vector<admin::v1::ShardLag>()> lag_source;

  std::mutex taps_mutex;
  std::vector<TapSink*> taps;

  PauseSwitch pause;  // last: its timer uses the others
};

std::pair<admin::v1::State, std::string> StageMonitor::State::StateAndReason() const {
  if (draining) return {admin::v1::STATE_DRAINING, "finishing what was taken, then stopping"};
  if (pause.paused()) return {admin::v1::STATE_PAUSED, pause.Describe()};
  std::string reason;
  for (const auto& [name, text] : conditions) {
    absl::StrAppend(&reason, reason.empty() ? "" : "; ", name, ": ", text);
  }
  if (!started) return {admin::v1::STATE_STARTING, reason.empty() ? "starting" : reason};
  if (reason.empty()) return {admin::v1::STATE_READY, idle_reason};
  return {admin::v1::STATE_DEGRADED, reason};
}

void StageMonitor::State::RecordError(absl::string_view text) {
  *last_error.mutable_time() = ToProto(clock.Now());
  last_error.set_text(Text(text));
}

StageMonitor::StageMonitor(std::string stage, metrics::Ledger& ledger, Clock& clock)
    : state_(std::make_unique<State>(std::move(stage), ledger, clock)) {}

StageMonitor::~StageMonitor() = default;

Clock& StageMonitor::clock() const { return state_->clock; }

void StageMonitor::SetCondition(const std::string& name, const std::string& text) {
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    std::string printable = Text(text);
    std::string& current = state_->conditions[name];
    if (current == printable) return;
    current = std::move(printable);
  }
  spdlog::warn("{}: {}", name, text);
}

void StageMonitor::ClearCondition(const std::string& name) {
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    if (state_->conditions.erase(name) == 0) return;
  }
  spdlog::info("{}: ok again", name);
}

void StageMonitor::SetIdleReason(const std::string& text) {
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->idle_reason = Text(text);
}

void StageMonitor::SetStarted() {
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->started = true;
}

void StageMonitor::SetDraining() {
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->draining = true;
}

void StageMonitor::RecordError(absl::string_view text) {
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->RecordError(text);
}

void StageMonitor::SetPeer(const std::string& name, const std::string& address, bool connected,
                           const std::string& error) {
  std::lock_guard<std::mutex> lock(state_->mutex);
  admin::v1::Peer& peer = state_->peers[{name, address}];
  peer.set_name(name);
  peer.set_address(Text(address));
  peer.set_connected(connected);
  peer.set_error(Text(error));
}

void StageMonitor::SetCredit(bool connected, uint32_t batches, uint64_t bytes) {
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->sends_on = true;
  if (connected) state_->taker_seen = state_->clock.Monotonic();
  state_->credit_batches = batches;
  state_->credit_bytes = bytes;
}

void StageMonitor::SetLagSource(std::function<std::vector<admin::v1::ShardLag>()> source) {
  std::lock_guard<std::mutex> lock(state_->lag_mutex);
  state_->lag_source = std::move(source);
}

void StageMonitor::Observe(const Batch& batch) {
  Activities seen;
  for (const Event& event : batch.events()) {
    seen[metrics::TypeIndex(event)].Add({1, event.time_unix_nano()});
  }
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    for (size_t i = 0; i < seen.size(); ++i) state_->activities[i].Add(seen[i]);
    state_->rate.Add(state_->clock.Monotonic(), batch.events_size());
  }
  std::lock_guard<std::mutex> lock(state_->taps_mutex);
  for (TapSink* tap : state_->taps) {
    for (const Event& event : batch.events()) tap->Offer(batch, event);
  }
}

bool StageMonitor::paused() const { return state_->pause.paused(); }

void StageMonitor::SetPauseHandler(std::function<void(bool paused)> on_change) {
  state_->pause.SetHandler(std::move(on_change));
}

absl::Time StageMonitor::Pause(absl::string_view reason) {
  return state_->pause.Pause(Text(reason));
}

void StageMonitor::Resume() { state_->pause.Resume(); }

StageStatus StageMonitor::Status() const {
  StageStatus status;
  {
    std::lock_guard<std::mutex> lock(state_->lag_mutex);
    if (state_->lag_source) {
      for (admin::v1::ShardLag& lag : state_->lag_source()) *status.add_lag() = std::move(lag);
    }
  }
  metrics::Ledger::Books books = state_->ledger.Snapshot();
  status.set_read_events(books.read);
  status.set_in_flight_events(books.in_flight);
  for (telemetry::v1::OutcomeCount& count : books.ended) *status.add_counts() = std::move(count);

  std::lock_guard<std::mutex> lock(state_->mutex);
  status.set_stage(state_->stage);
  status.set_version(Version());
  *status.mutable_started_at() = ToProto(state_->started_at);
  auto [state, reason] = state_->StateAndReason();
  status.set_state(state);
  status.set_reason(std::move(reason));
  status.set_events_per_second(state_->rate.PerSecond(state_->clock.Monotonic()));
  status.set_credit_batches(state_->credit_batches);
  status.set_credit_bytes(state_->credit_bytes);
  if (state_->last_error.has_time()) *status.mutable_last_error() = state_->last_error;
  for (const auto& [key, peer] : state_->peers) *status.add_peers() = peer;
  for (size_t i = 0; i < metrics::kTypeNames.size(); ++i) {
    const Activity& activity = state_->activities[i];
    if (i >= kTypesAlwaysListed && activity.count == 0) continue;
    admin::v1::TypeActivity* out = status.add_activity();
    out->set_type(metrics::kTypeNames[i]);
    out->set_count(activity.count);
    if (activity.last_record_unix_nano == 0) continue;
    *out->mutable_last_record() = TimeUtil::NanosecondsToTimestamp(activity.last_record_unix_nano);
  }
  return status;
}

bool StageMonitor::ready() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  if (!state_->started || state_->draining) return false;
  return !state_->sends_on || state_->pause.paused() ||
         state_->clock.Monotonic() - state_->taker_seen <= kTakerAwayMax;
}

std::vector<std::string> StageMonitor::ConditionNames() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  std::vector<std::string> names;
  for (const auto& [name, text] : state_->conditions) names.push_back(name);
  return names;
}

bool StageMonitor::AddTap(TapSink* sink) {
  std::lock_guard<std::mutex> lock(state_->taps_mutex);
  if (state_->taps.size() >= kTapsMax) return false;
  state_->taps.push_back(sink);
  return true;
}

void StageMonitor::RemoveTap(TapSink* sink) {
  std::lock_guard<std::mutex> lock(state_->taps_mutex);
  auto& taps = state_->taps;
  taps.erase(std::remove(taps.begin(), taps.end(), sink), taps.end());
}

}  // namespace nightjar::runtime
