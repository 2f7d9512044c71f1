// What the taker remembers of one sender, so that no batch of it is worked on twice.
#ifndef SERVICES_COMMON_RPC_SOURCE_MEMORY_H_
#define SERVICES_COMMON_RPC_SOURCE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "services/common/rpc/batch_result.h"

namespace nightjar::rpc {

// Batches that have ended and whose ack may not have reached the sender; older ones are forgotten.
inline constexpr size_t kEndedRememberedMax = 1024;

// One per Hello.source. Not thread-safe.
class SourceMemory {
 public:
  // A stream of this source begins, whose sender still waits for the acks of `unacked`. Returns
  // those that it need not send again. Ended batches that are not among them have been acked, and
  // are forgotten.
  std::vector<uint64_t> Resume(const std::vector<uint64_t>& unacked);

  enum class Arrival { kNew, kRunning, kEnded };
  // A batch came in. kNew: it counts as running from now on.
  Arrival Arrive(uint64_t id);

  // A running batch ended for good.
  void End(uint64_t id, BatchResult result);
  // A running batch was not taken: the sender will send it again.
  void Retry(uint64_t id);

  // How an ended batch ended; null when it has not, or is forgotten.
  const BatchResult* Result(uint64_t id) const;
  size_t running() const { return running_.size(); }

 private:
  std::set<uint64_t> running_;
  std::map<uint64_t, BatchResult> ended_;
  std::deque<uint64_t> ended_order_;  // the ids of ended_, oldest first
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_SOURCE_MEMORY_H_
