// The batches of a sender that have not ended: which go next, and what credit is left for them.
#ifndef SERVICES_COMMON_RPC_OUTBOX_H_
#define SERVICES_COMMON_RPC_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/common/rpc/batch_message.h"
#include "services/common/rpc/batch_result.h"
#include "services/common/rpc/credit_pool.h"

namespace nightjar::rpc {

// Keeps each batch from Take until the taker says how it ended, over any number of streams.
// Bounded by the credit: nothing is to be taken that it does not cover. Not thread-safe.
class Outbox {
 public:
  using OnEnded = std::function<void(BatchResult)>;
  // What the owner has yet to tell, outside its lock.
  using Ended = std::vector<std::pair<OnEnded, BatchResult>>;

  // A batch of this encoded size, not counting its id, may be taken: there is credit, and nothing
  // waits to be sent again.
  bool CanTake(size_t bytes_without_id) const;
  // Gives the batch its id and takes its credit.
  void Take(BatchPtr batch, size_t bytes_without_id, OnEnded on_ended);

  // The batch to write next; null: none that has credit. It stays valid when the batch ends.
  std::shared_ptr<const telemetry::v1::FlowRequest> Next();
  // Batches wait for credit to be sent again.
  bool resending() const { return !to_resend_.empty(); }
  // Nothing will be sent again on this stream, as it looks now.
  bool nothing_to_resend() const { return to_resend_.empty() && put_off_.empty(); }

  // A stream begins: what it says of the batches before, and the answer to that. Returns how many
  // are to be sent again.
  void FillHello(telemetry::v1::Hello& hello) const;
  size_t Resume(const telemetry::v1::Have& have);
  // The stream is gone, and its credit with it.
  void Disconnect();

  void AddCredit(const telemetry::v1::Credit& credit);
  void TakeAck(const telemetry::v1::Ack& ack, Ended& ended);
  // True when the batch is put off (NextPutOff may have changed).
  bool TakeNack(const telemetry::v1::Nack& nack, absl::Duration now, Ended& ended);
  // When the first batch that was put off is due to be sent again, on the clock of `now`.
  absl::Duration NextPutOff() const;
  void WakePutOff(absl::Duration now);

  bool empty() const { return unacked_.empty(); }
  size_t size() const { return unacked_.size(); }
  const CreditAmount& credit() const { return credit_; }
  uint64_t resent() const { return resent_; }  // since the start

 private:
  struct Unacked {
    std::shared_ptr<BatchMessage> message;
    int64_t bytes = 0;
    OnEnded on_ended;
  };

  int64_t Cost(size_t bytes_without_id) const;
  void End(std::map<uint64_t, Unacked>::iterator batch, BatchResult result, Ended& ended);

  uint64_t last_id_ = 0;
  std::map<uint64_t, Unacked> unacked_;
  uint64_t resent_ = 0;

  // Of the present stream.
  CreditAmount credit_;
  std::deque<uint64_t> to_write_;                    // new batches, their credit is taken
  std::set<uint64_t> to_resend_;                     // wait for credit, and go before new ones
  std::multimap<absl::Duration, uint64_t> put_off_;  // by the moment they join to_resend_
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_OUTBOX_H_
