#include "services/ae_forwarder/forwarder.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"
#include "services/common/status/status_macros.h"

namespace nightjar::ae_forwarder {
namespace {

using telemetry::v1::Batch;
using telemetry::v1::Event;
using telemetry::v1::OUTCOME_FILTERED;
using telemetry::v1::OUTCOME_QUARANTINED;

// With nothing to do the encoding thread still looks up this often.
constexpr absl::Duration kIdleWait = absl::Minutes(1);

const std::string& DuplicateReason() {
  static const auto& reason = *new std::string("duplicate_suppressed");
  return reason;
}

// Why an event without a path is not sent. The scorer filters these already; this is the last door.
const std::string& NoPathReason(Event::BodyCase body) {
  static const auto& icmp = *new std::string("icmp_transaction");
  static const auto& other = *new std::string("unsupported_type");
  return body == Event::kIcmp ? icmp : other;
}

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
  absl::flat_hash_set<PendingBatchPtr> pending;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    arrivals.swap(arrivals_);
    pending.swap(pending_);
  }
  const absl::Status stopped = absl::UnavailableError("the forwarder stopped before it was sent");
  for (const Arrival& arrival : arrivals) arrival.done({stopped, {}});
  for (const PendingBatchPtr& batch : pending) batch->done({stopped, {}});
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
  for (const Event& event : batch.events()) parts_.ledger.Read(metrics::TypeName(event), 1);
  parts_.monitor.Observe(batch);
  auto pending = std::make_shared<PendingBatch>();
  pending->epoch = batch.epoch();
  pending->index = batch.index();
  pending->fencing_token = batch.fencing_token();
  pending->done = std::move(arrival.done);
  pending->remaining = batch.events_size();

  const std::vector<EventKey> keys = KeysOf(batch);
  std::vector<bool> to_send(keys.size());
  Sort(batch, keys, pending, &to_send);
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

// Decides for each event whether it is sent: not if it has no path, has ended, or is under way.
void Forwarder::Sort(const Batch& batch, const std::vector<EventKey>& keys,
                     const PendingBatchPtr& pending, std::vector<bool>* to_send) {
  std::vector<PendingBatchPtr> ended_batches;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    pending_.insert(pending);
    InFlight::Epoch& under_way = in_flight_.epoch(pending->epoch);
    // Asked under the lock: an event leaves in_flight_ only after it came into the ended set.
    std::vector<bool> ended;
    parts_.state.ended.Find(pending->epoch, keys, &ended);
    for (size_t i = 0; i < keys.size(); ++i) {
      const Event& event = batch.events(static_cast<int>(i));
      const absl::string_view type = metrics::TypeName(event);
      if (!analytics_api::HasPath(options_.dialect, event.body_case())) {
        End({pending, OUTCOME_FILTERED, NoPathReason(event.body_case()), type, 1}, &ended_batches);
      } else if (ended[i]) {
        End({pending, OUTCOME_FILTERED, DuplicateReason(), type, 1}, &ended_batches);
      } else if (!under_way.Begin(keys[i])) {
        under_way.Wait(keys[i], {pending, type});
      } else {
        (*to_send)[i] = true;
      }
    }
    if (keys.empty()) {
      pending_.erase(pending);
      ended_batches.push_back(pending);
    }
  }
  Ack(ended_batches);
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
  Finish(body, result);
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

void Forwarder::Finish(const Body& body, const BodyResult& result) {
  std::vector<PendingBatchPtr> ended_batches;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (size_t i = 0; i < body.lines.size();) {
      // Neighbours of one batch mostly end alike: one entry in the books for all of them.
      const size_t first = i;
      const PendingBatchPtr& batch = body.batches[body.lines[first].batch];
      InFlight::Epoch& under_way = in_flight_.epoch(batch->epoch);
      for (; i < body.lines.size() && body.lines[i].batch == body.lines[first].batch &&
             &result.end(i) == &result.end(first);
           ++i) {
        if (result.ended(i)) EndWaiters(under_way.End(body.lines[i].key), &ended_batches);
      }
      if (!result.ended(first)) continue;
      const BodyResult::End& end = result.end(first);
      End({batch, end.outcome, end.reason, body.type, static_cast<uint32_t>(i - first)},
          &ended_batches);
    }
  }
  Ack(ended_batches);
}

void Forwarder::End(const Ending& ending, std::vector<PendingBatchPtr>* ended) {
  parts_.ledger.Ended(ending.outcome, ending.reason, ending.type, ending.count);
  PendingBatch& batch = *ending.batch;
  const auto same = [&](const telemetry::v1::OutcomeCount& count) {
    return count.outcome() == ending.outcome && count.reason() == ending.reason &&
           count.type() == ending.type;
  };
  auto count = std::find_if(batch.counts.begin(), batch.counts.end(), same);
  if (count == batch.counts.end()) {
    count = batch.counts.emplace(batch.counts.end());
    count->set_outcome(ending.outcome);
    count->set_reason(ending.reason);
    count->set_type(std::string(ending.type));
  }
  count->set_count(count->count() + ending.count);
  CHECK(batch.remaining >= ending.count);
  batch.remaining -= ending.count;
  if (batch.remaining > 0) return;
  ended->push_back(ending.batch);
  pending_.erase(ending.batch);
}

void Forwarder::EndWaiters(const std::vector<Waiter>& waiters,
                           std::vector<PendingBatchPtr>* ended) {
  for (const Waiter& waiter : waiters) {
    End({waiter.batch, OUTCOME_FILTERED, DuplicateReason(), waiter.type, 1}, ended);
  }
}

void Forwarder::Ack(const std::vector<PendingBatchPtr>& ended) {
  for (const PendingBatchPtr& batch : ended) {
    batch->done({absl::OkStatus(), std::move(batch->counts)});
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
