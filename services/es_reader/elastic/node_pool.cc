#include "services/es_reader/elastic/node_pool.h"

#include <algorithm>
#include <utility>

#include "services/common/status/check.h"

namespace nightjar::es_reader {
namespace {

constexpr absl::Duration kDeadMax = absl::Seconds(30);

}  // namespace

NodePool::NodePool(std::vector<std::string> hosts, const Clock& clock) : clock_(clock) {
  CHECK(!hosts.empty());
  for (std::string& host : hosts) nodes_.push_back({std::move(host)});
}

size_t NodePool::Next() {
  std::lock_guard<std::mutex> lock(mutex_);
  const absl::Duration now = clock_.Monotonic();
  size_t best = turn_ % nodes_.size();
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const size_t node = (turn_ + i) % nodes_.size();
    if (nodes_[node].dead_until <= now) {
      turn_ = node + 1;
      return node;
    }
    if (nodes_[node].dead_until < nodes_[best].dead_until) best = node;
  }
  return best;
}

void NodePool::Succeeded(size_t node) {
  std::lock_guard<std::mutex> lock(mutex_);
  nodes_[node].failures = 0;
  nodes_[node].dead_until = absl::ZeroDuration();
}

void NodePool::Failed(size_t node) {
  std::lock_guard<std::mutex> lock(mutex_);
  const int doublings = std::min(nodes_[node].failures++, 5);
  nodes_[node].dead_until =
      clock_.Monotonic() + std::min(kDeadMax, absl::Seconds(1) * (1 << doublings));
}

}  // namespace nightjar::es_reader
