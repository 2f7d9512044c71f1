// Events that are on their way to the engine, and who else waits for their outcome.
#ifndef SERVICES_AE_FORWARDER_IN_FLIGHT_H_
#define SERVICES_AE_FORWARDER_IN_FLIGHT_H_

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "services/ae_forwarder/body.h"
#include "services/ae_forwarder/ended_set.h"

namespace nightjar::ae_forwarder {

// A second arrival of an event that is under way: its batch gets the event as a duplicate once the
// first has ended.
struct Waiter {
  PendingBatchPtr batch;
  absl::string_view type;  // of metrics::TypeName
};

// Bounded by the credit that was granted. Not thread-safe.
class InFlight {
 public:
  class Epoch {
   public:
    // True: `key` was not under way and is from now on.
    bool Begin(const EventKey& key) { return under_way_[key.by_hash].insert(key.id()).second; }

    // `key` is under way.
    void Wait(const EventKey& key, Waiter waiter) {
      waiters_[{key.by_hash, key.id()}].push_back(std::move(waiter));
    }

    // `key` is not under way any more. Returns who waited.
    std::vector<Waiter> End(const EventKey& key) {
      under_way_[key.by_hash].erase(key.id());
      if (waiters_.empty()) return {};
      const auto found = waiters_.find({key.by_hash, key.id()});
      if (found == waiters_.end()) return {};
      std::vector<Waiter> waiters = std::move(found->second);
      waiters_.erase(found);
      return waiters;
    }

   private:
    absl::flat_hash_set<uint64_t> under_way_[2];  // by number, by hash
    absl::flat_hash_map<std::pair<bool, uint64_t>, std::vector<Waiter>> waiters_;
  };

  // The reference stays valid.
  Epoch& epoch(const std::string& name) { return epochs_[name]; }

 private:
  std::unordered_map<std::string, Epoch> epochs_;
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_IN_FLIGHT_H_
