#include "services/ae_forwarder/forwarder.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/status/status_macros.h"

namespace nightjar::ae_forwarder {
namespace {

using telemetry::v1::Batch;
using telemetry::v1::Event;
using telemetry::v1::OUTCOME_QUARANTINED;

// With nothing to do the encoding thread still looks up this often.
constexpr absl::Duration kIdleWait = absl::Minutes(1);

std::vector<EventKey> KeysOf(const Batch& batch) {
  const bool by_hash = batch.identity() == telemetry::v1::IDENTITY_DOCUMENT_HASH;
  std::vector<EventKey> keys;
  keys.reserve(batch.events_size());
  for (const Event& event : batch.events()) {
    keys.push_back({by_hash, event.document_hash(), static_cast<int64_t>(event.seq_no())});
  }
  return keys;
}

}  // namespace

Forwarder::Forwarder(ForwarderOptions options, const ForwarderParts& parts)
    : options_(std::move(options)),
      parts_(parts),
      metrics_(parts.metrics),
      gate_(parts.clock, options_.backoff),
      poster_context_{
          gate_, guard_, metrics_, parts.monitor, options_.hold_wait, [this] { ReloadApiKey(); }},
      queue_(options_.posts_in_flight_max),
      builder_(options_.dialect, options_.body),
      book_(options_.dialect, parts.state.ended, parts.ledger),
      api_key_(options_.engine.api_key) {
  for (int i = 0; i < options_.posts_in_flight_max; ++i) {
    posters_.push_back(std::make_unique<Poster>(options_.engine, poster_context_));
  }
  metrics_.quarantine_bytes.Set(static_cast<double>(parts_.state.quarantine->bytes()));
  metrics_.ended_entries.Set(static_cast<double>(parts_.state.ended.entries()));
}

Forwarder::~Forwarder() { Shutdown(); }

void Forwarder::SetCreditSwitch(std::function<void(bool open)> credit_switch) {
  credit_switch_ = std::move(credit_switch);
}

void Forwarder::Start() {
  UpdateCredit();
  threads_.emplace_back([this] { EncodeLoop(); });
  for (const auto& poster : posters_) {
    threads_.emplace_back([this, poster = poster.get()] { PostLoop(poster); });
  }
}

void Forwarder::OnBatch(rpc::BatchPtr batch, Done done) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!stopping_) {
    arrivals_.push_back({std::move(batch), std::move(done)});
    work_.notify_one();
    return;
  }
  lock.unlock();
  done({absl::UnavailableError("the forwarder is stopping"), {}});
}

void Forwarder::OnDurable(const telemetry::v1::Durable& durable) {
  EndedChange change;
  change.epoch = durable.epoch();
  change.forget = true;
  for (const auto& interval : durable.closed()) {
    change.intervals.emplace_back(interval.from(), interval.to());
  }
  parts_.state.journal->Forget(std::move(change));
  UpdateCredit();
}

void Forwarder::SetPaused(bool paused) {
  {
    std::lock_guard<std::mutex> lock(credit_mutex_);
    paused_ = paused;
  }
  UpdateCredit();
}

void Forwarder::ReloadApiKey() {
  const absl::StatusOr<config::Secret> key = options_.read_api_key();
  if (!key.ok()) {
    parts_.monitor.RecordError(absl::StrCat(
        "engine.api_key cannot be read again, the one before is kept: ", key.status().message()));
    return;
  }
  std::lock_guard<std::mutex> lock(api_key_mutex_);
  if (key->reveal() == api_key_.reveal()) return;
  api_key_ = *key;
  for (const auto& poster : posters_) poster->SetApiKey(*key);
  gate_.Reopen();
}

void Forwarder::Shutdown() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    work_.notify_all();
  }
  queue_.Close();
  gate_.Cancel();
  for (const auto& poster : posters_) poster->Cancel();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  std::deque<Arrival> arrivals;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    arrivals.swap(arrivals_);
  }
  const absl::Status stopped = absl::UnavailableError("the forwarder stopped before it was sent");
  for (const Arrival& arrival : arrivals) arrival.done({stopped, {}});
  book_.Abandon(stopped);
}

// Takes batches as they come and cuts bodies: when full, after body_wait_max, or at once when
// nothing else is waiting or under way.
void Forwarder::EncodeLoop() {
  for (;;) {
    std::optional<Arrival> arrival;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const auto ready = [&] {
        return stopping_ || !arrivals_.empty() || (!builder_.empty() && queue_.idle());
      };
      parts_.clock.WaitFor(lock, work_, UntilNextCut(), ready);
      if (stopping_) return;
      if (!arrivals_.empty()) {
        arrival = std::move(arrivals_.front());
        arrivals_.pop_front();
      }
    }
    std::vector<BodyPtr> bodies;
    const bool nothing_waits = !arrival.has_value();
    if (arrival.has_value()) Take(*std::move(arrival), &bodies);
    const bool at_once = nothing_waits && queue_.idle();
    const absl::Duration now = parts_.clock.Monotonic();
    for (BodyPtr& body : builder_.Take(at_once ? now : now - options_.body_wait_max)) {
      bodies.push_back(std::move(body));
    }
    for (BodyPtr& body : bodies) queue_.Push(std::move(body));
  }
}

absl::Duration Forwarder::UntilNextCut() const {
  if (builder_.empty()) return kIdleWait;
  const absl::Duration cut = builder_.oldest() + options_.body_wait_max;
  return std::max(absl::ZeroDuration(), cut - parts_.clock.Monotonic());
}

void Forwarder::Take(Arrival arrival, std::vector<BodyPtr>* full) {
  const Batch& batch = arrival.batch->batch();
  if (absl::Status status = Admit(batch); !status.ok()) {
    arrival.done({std::move(status), {}});
    return;
  }
  parts_.monitor.Observe(batch);
  auto pending = std::make_shared<PendingBatch>();
  pending->epoch = batch.epoch();
  pending->index = batch.index();
  pending->fencing_token = batch.fencing_token();
  pending->done = std::move(arrival.done);

  const std::vector<EventKey> keys = KeysOf(batch);
  const std::vector<bool> to_send = book_.Open(batch, keys, pending);
  const absl::Duration now = parts_.clock.Monotonic();
  for (int i = 0; i < batch.events_size(); ++i) {
    if (!to_send[i]) continue;
    const Event& event = batch.events(i);
    builder_.Add(metrics::TypeName(event), pending, event, keys[i], now, full);
  }
}

absl::Status Forwarder::Admit(const Batch& batch) const {
  const auto identity = batch.identity();
  if (identity != telemetry::v1::IDENTITY_SEQ_NO &&
      identity != telemetry::v1::IDENTITY_DOCUMENT_HASH) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch of ", batch.epoch(), ": unknown identity ", identity));
  }
  for (const Event& event : batch.events()) {
    if (event.seq_no() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "batch of ", batch.epoch(), ": sequence number ", event.seq_no(), " is out of range"));
    }
  }
  return parts_.state.ended.Admit(batch.epoch(), batch.fencing_token());
}

void Forwarder::PostLoop(Poster* poster) {
  while (const BodyPtr body = queue_.Pop()) {
    std::vector<RefusedLine> refused;
    BodyResult result = poster->Deliver(*body, &refused);
    Settle(*body, std::move(result), refused);
    queue_.Finished();
    // The encoding thread may wait for an idle queue: the lock keeps it from missing this.
    std::lock_guard<std::mutex> lock(mutex_);
    work_.notify_one();
  }
}

// From outcomes to acks, in this order:
//   1. refused events are on disk in the quarantine
//   2. all ended events are on disk in the journal
//   3. the books and the batches know
//   4. batches with nothing left are acked
void Forwarder::Settle(const Body& body, BodyResult result,
                       const std::vector<RefusedLine>& refused) {
  if (!refused.empty() && !QuarantineRefused(body, refused, &result)) return;
  if (!Commit(body, result)) return;
  book_.Close(body, result);
  metrics_.ended_entries.Set(static_cast<double>(parts_.state.ended.entries()));
  UpdateCredit();
}

bool Forwarder::QuarantineRefused(const Body& body, const std::vector<RefusedLine>& refused,
                                  BodyResult* result) {
  std::vector<QuarantinedEvent> events;
  for (const RefusedLine& line : refused) {
    const Body::Line& place = body.lines[line.line];
    const PendingBatch& batch = *body.batches[place.batch];
    events.push_back({parts_.clock.Now(), body.type, batch.epoch, batch.index, place.key.number,
                      line.status.message(), body.text(line.line)});
  }
  size_t kept = 0;
  if (!RetryState("quarantine", [&] { return parts_.state.quarantine->Add(events, &kept); })) {
    return false;
  }
  for (size_t i = 0; i < refused.size(); ++i) {
    result->Set(refused[i].line, OUTCOME_QUARANTINED,
                i < kept ? "engine_refused" : "quarantine_full");
  }
  if (kept < refused.size()) {
    parts_.monitor.SetCondition(
        "quarantine_full",
        "the quarantine is full: events that the engine refuses are only counted from now on. "
        "Look into quarantine.ndjson, move it away and restart");
  }
  metrics_.quarantine_bytes.Set(static_cast<double>(parts_.state.quarantine->bytes()));
  return true;
}

bool Forwarder::Commit(const Body& body, const BodyResult& result) {
  std::map<std::string, EndedChange> by_epoch;
  std::vector<EndedChange*> of_batch;
  for (const PendingBatchPtr& batch : body.batches) {
    EndedChange& change = by_epoch[batch->epoch];
    change.epoch = batch->epoch;
    change.fencing_token = std::max(change.fencing_token, batch->fencing_token);
    of_batch.push_back(&change);
  }
  bool any = false;
  for (size_t i = 0; i < body.lines.size(); ++i) {
    if (!result.ended(i)) continue;
    AddKey(body.lines[i].key, of_batch[body.lines[i].batch]);
    any = true;
  }
  if (!any) return true;
  std::vector<EndedChange> changes;
  changes.reserve(by_epoch.size());
  for (auto& [epoch, change] : by_epoch) changes.push_back(std::move(change));
  return RetryState("state", [&] { return parts_.state.journal->Commit(changes); });
}

bool Forwarder::RetryState(const std::string& condition,
                           const std::function<absl::Status()>& write) {
  for (;;) {
    const absl::Status status = write();
    if (status.ok()) {
      parts_.monitor.ClearCondition(condition);
      return true;
    }
    const std::string text =
        absl::StrCat("state cannot be written, nothing is acked: ", status.message());
    parts_.monitor.SetCondition(condition, text);
    parts_.monitor.RecordError(text);
    if (!gate_.Wait(options_.state_retry_wait)) return false;
  }
}

void Forwarder::UpdateCredit() {
  std::lock_guard<std::mutex> lock(credit_mutex_);
  const size_t entries = parts_.state.ended.entries();
  const bool full = entries >= options_.ended_entries_max;
  if (full) {
    parts_.monitor.SetCondition(
        "ended_set_full", absl::StrCat("no more credit: ", options_.ended_entries_max,
                                       " ended events wait for the reader's position to be saved"));
  } else {
    parts_.monitor.ClearCondition("ended_set_full");
  }
  const bool open = !paused_ && !full;
  if (open == open_) return;
  open_ = open;
  if (credit_switch_) credit_switch_(open);
}

}  // namespace nightjar::ae_forwarder
