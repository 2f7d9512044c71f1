#include "services/ae_forwarder/batch_book.h"

#include <algorithm>
#include <utility>

#include "services/common/status/check.h"

namespace nightjar::ae_forwarder {
namespace {

using telemetry::v1::Batch;
using telemetry::v1::Event;
using telemetry::v1::OUTCOME_FILTERED;

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

void Ack(const std::vector<PendingBatchPtr>& ended) {
  for (const PendingBatchPtr& batch : ended) {
    batch->done({absl::OkStatus(), std::move(batch->counts)});
  }
}

}  // namespace

std::vector<bool> BatchBook::Open(const Batch& batch, const std::vector<EventKey>& keys,
                                  const PendingBatchPtr& pending) {
  for (const Event& event : batch.events()) ledger_.Read(metrics::TypeName(event), 1);
  pending->remaining = batch.events_size();
  std::vector<bool> to_send(keys.size());
  std::vector<PendingBatchPtr> acks;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    pending_.insert(pending);
    InFlight::Epoch& under_way = in_flight_.epoch(pending->epoch);
    // Asked under the lock: an event leaves in_flight_ only after it came into the ended set.
    std::vector<bool> ended;
    ended_.Find(pending->epoch, keys, &ended);
    for (size_t i = 0; i < keys.size(); ++i) {
      const Event& event = batch.events(static_cast<int>(i));
      const absl::string_view type = metrics::TypeName(event);
      if (!analytics_api::HasPath(dialect_, event.body_case())) {
        End({pending, OUTCOME_FILTERED, NoPathReason(event.body_case()), type, 1}, &acks);
      } else if (ended[i]) {
        End({pending, OUTCOME_FILTERED, DuplicateReason(), type, 1}, &acks);
      } else if (!under_way.Begin(keys[i])) {
        under_way.Wait(keys[i], {pending, type});
      } else {
        to_send[i] = true;
      }
    }
    if (keys.empty()) {
      pending_.erase(pending);
      acks.push_back(pending);
    }
  }
  Ack(acks);
  return to_send;
}

void BatchBook::Close(const Body& body, const BodyResult& result) {
  std::vector<PendingBatchPtr> acks;
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
        if (result.ended(i)) EndWaiters(under_way.End(body.lines[i].key), &acks);
      }
      if (!result.ended(first)) continue;
      const BodyResult::End& end = result.end(first);
      End({batch, end.outcome, end.reason, body.type, static_cast<uint32_t>(i - first)}, &acks);
    }
  }
  Ack(acks);
}

void BatchBook::End(const Ending& ending, std::vector<PendingBatchPtr>* acks) {
  ledger_.Ended(ending.outcome, ending.reason, ending.type, ending.count);
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
  acks->push_back(ending.batch);
  pending_.erase(ending.batch);
}

void BatchBook::EndWaiters(const std::vector<Waiter>& waiters, std::vector<PendingBatchPtr>* acks) {
  for (const Waiter& waiter : waiters) {
    End({waiter.batch, OUTCOME_FILTERED, DuplicateReason(), waiter.type, 1}, acks);
  }
}

void BatchBook::Abandon(const absl::Status& why) {
  absl::flat_hash_set<PendingBatchPtr> pending;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    pending.swap(pending_);
  }
  for (const PendingBatchPtr& batch : pending) batch->done({why, {}});
}

}  // namespace nightjar::ae_forwarder
