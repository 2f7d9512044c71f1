// The batches that have not ended, and the books of their events.
#ifndef SERVICES_AE_FORWARDER_BATCH_BOOK_H_
#define SERVICES_AE_FORWARDER_BATCH_BOOK_H_

#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/ae_forwarder/body.h"
#include "services/ae_forwarder/body_result.h"
#include "services/ae_forwarder/ended_set.h"
#include "services/ae_forwarder/in_flight.h"
#include "services/common/analytics_api/events_encoder.h"
#include "services/common/metrics/ledger.h"

namespace nightjar::ae_forwarder {

// Decides at the door which events are sent, gives every event its one outcome, in the ledger and
// in its batch, and acks a batch when its last event has ended. Thread-safe; acks are called
// without a lock held. `ended` and `ledger` outlive it.
class BatchBook {
 public:
  BatchBook(analytics_api::Dialect dialect, const EndedSet& ended, metrics::Ledger& ledger)
      : dialect_(dialect), ended_(ended), ledger_(ledger) {}

  // Takes `batch` in; `keys` are those of its events. Says for each event whether it is to be sent:
  // not if it has no path in the dialect, has ended before, or is under way.
  std::vector<bool> Open(const telemetry::v1::Batch& batch, const std::vector<EventKey>& keys,
                         const PendingBatchPtr& pending);

  // Events of `body` have ended as `result` says, and are in the ended set.
  void Close(const Body& body, const BodyResult& result);

  // Hands every batch that has not ended back with `why`.
  void Abandon(const absl::Status& why);

 private:
  // Outcomes of some events of one batch.
  struct Ending {
    const PendingBatchPtr& batch;
    telemetry::v1::Outcome outcome;
    const std::string& reason;
    absl::string_view type;
    uint32_t count;
  };
  // With mutex_ held; a batch that has ended is appended to `acks`.
  void End(const Ending& ending, std::vector<PendingBatchPtr>* acks);
  void EndWaiters(const std::vector<Waiter>& waiters, std::vector<PendingBatchPtr>* acks);

  const analytics_api::Dialect dialect_;
  const EndedSet& ended_;
  metrics::Ledger& ledger_;
  std::mutex mutex_;
  InFlight in_flight_;
  absl::flat_hash_set<PendingBatchPtr> pending_;
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_BATCH_BOOK_H_
