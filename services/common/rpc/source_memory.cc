#include "services/common/rpc/source_memory.h"

#include <utility>

#include "services/common/status/check.h"

namespace nightjar::rpc {

std::vector<uint64_t> SourceMemory::Resume(const std::vector<uint64_t>& unacked) {
  std::vector<uint64_t> have;
  std::map<uint64_t, BatchResult> ended;
  for (const uint64_t id : unacked) {
    if (auto found = ended_.extract(id); !found.empty()) {
      ended.insert(std::move(found));
      have.push_back(id);
    } else if (running_.count(id) != 0) {
      have.push_back(id);
    }
  }
  ended_ = std::move(ended);
  std::deque<uint64_t> order;
  for (const uint64_t id : ended_order_) {
    if (ended_.count(id) != 0) order.push_back(id);
  }
  ended_order_ = std::move(order);
  return have;
}

SourceMemory::Arrival SourceMemory::Arrive(uint64_t id) {
  if (ended_.count(id) != 0) return Arrival::kEnded;
  return running_.insert(id).second ? Arrival::kNew : Arrival::kRunning;
}

void SourceMemory::End(uint64_t id, BatchResult result) {
  CHECK(running_.erase(id) == 1);  // FlowHandler::Done is called once per batch
  ended_[id] = std::move(result);
  ended_order_.push_back(id);
  if (ended_order_.size() > kEndedRememberedMax) {
    ended_.erase(ended_order_.front());
    ended_order_.pop_front();
  }
}

void SourceMemory::Retry(uint64_t id) { CHECK(running_.erase(id) == 1); }

const BatchResult* SourceMemory::Result(uint64_t id) const {
  const auto found = ended_.find(id);
  return found == ended_.end() ? nullptr : &found->second;
}

}  // namespace nightjar::rpc
