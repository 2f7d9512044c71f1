// The nodes (or load balancers) of one cluster: whose turn it is, and who is left alone after
// failing.
#ifndef SERVICES_ES_READER_ELASTIC_NODE_POOL_H_
#define SERVICES_ES_READER_ELASTIC_NODE_POOL_H_

#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/common/clock/clock.h"

namespace nightjar::es_reader {

// Round robin over base URLs. A node that failed n times in a row is skipped for min(2^(n-1), 30)
// s; when all are, the one whose time is up first is used. Thread-safe; one for all clients of a
// cluster; `clock` outlives it.
class NodePool {
 public:
  // `hosts`: at least one, as in ElasticOptions.
  NodePool(std::vector<std::string> hosts, const Clock& clock);

  // Index of the node to ask next, for host(), Succeeded() and Failed().
  size_t Next();
  const std::string& host(size_t node) const { return nodes_[node].host; }
  size_t size() const { return nodes_.size(); }

  void Succeeded(size_t node);
  // No connection, or 502, 503, 504: the node itself is in trouble, not the request.
  void Failed(size_t node);

 private:
  struct Node {
    std::string host;
    int failures = 0;
    absl::Duration dead_until = absl::ZeroDuration();  // monotonic
  };

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<Node> nodes_;
  size_t turn_ = 0;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_ELASTIC_NODE_POOL_H_
