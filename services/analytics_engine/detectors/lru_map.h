// A map of limited size that forgets what was not used for longest.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_LRU_MAP_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_LRU_MAP_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace nightjar::analytics_engine {

// Entries that hold evidence go after all others, so that nobody can make the engine forget a
// finding in the making by sending much else. Yet they have half of the places at most: then the
// oldest of them goes. Not thread-safe. References stay valid until the entry goes, which happens
// only in Get() for another key.
template <typename Key, typename Value>
class LruMap {
 public:
  explicit LruMap(size_t entries_max) : entries_max_(entries_max) {}

  // The entry of `key`, made from `arguments` when there is none; it counts as used now.
  template <typename... Arguments>
  Value& Get(const Key& key, Arguments&&... arguments) {
    const auto [it, added] = index_.try_emplace(key);
    if (!added) {
      const auto entry = it->second;
      List& list = entry->holds_evidence ? evidence_ : plain_;
      list.splice(list.begin(), list, entry);
      return entry->value;
    }
    plain_.emplace_front(key, std::forward<Arguments>(arguments)...);
    it->second = plain_.begin();
    if (index_.size() > entries_max_) Evict();
    return plain_.front().value;
  }

  // Null: none. Does not count as use.
  const Value* Find(const Key& key) const {
    const auto it = index_.find(key);
    return it == index_.end() ? nullptr : &it->second->value;
  }

  // The entry of `key`, which exists, holds evidence from now on.
  void HoldEvidence(const Key& key) {
    const auto entry = index_.find(key)->second;
    if (entry->holds_evidence) return;
    entry->holds_evidence = true;
    evidence_.splice(evidence_.begin(), plain_, entry);
  }

  size_t size() const { return index_.size(); }
  uint64_t evictions() const { return evictions_; }

 private:
  struct Entry {
    template <typename... Arguments>
    explicit Entry(const Key& key, Arguments&&... arguments)
        : key(key), value(std::forward<Arguments>(arguments)...) {}
    Key key;
    Value value;
    bool holds_evidence = false;
  };
  using List = std::list<Entry>;

  // The front of plain_ was just made and stays.
  void Evict() {
    List& list = plain_.size() > 1 && evidence_.size() <= entries_max_ / 2 ? plain_ : evidence_;
    index_.erase(list.back().key);
    list.pop_back();
    ++evictions_;
  }

  const size_t entries_max_;
  List plain_;     // most recently used first
  List evidence_;  // alike
  absl::flat_hash_map<Key, typename List::iterator> index_;
  uint64_t evictions_ = 0;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_LRU_MAP_H_
