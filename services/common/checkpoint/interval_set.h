// A set of whole numbers kept as a few intervals, for "which sequence numbers are done".
#ifndef SERVICES_COMMON_CHECKPOINT_INTERVAL_SET_H_
#define SERVICES_COMMON_CHECKPOINT_INTERVAL_SET_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/btree_map.h"

namespace nightjar::checkpoint {

// Intervals are open on the left and closed on the right: (from, to] holds from+1 .. to, so that
// the end of one window is the start of the next. An interval with from >= to is empty. Intervals
// that touch or overlap are merged. Numbers are greater than INT64_MIN. Every operation costs O(log
// size()) plus the intervals it removes. Thread-compatible.
class IntervalSet {
 public:
  using Map = absl::btree_map<int64_t, int64_t>;  // from -> to

  void Add(int64_t from, int64_t to);
  void Add(int64_t number) { Add(number - 1, number); }
  void Subtract(int64_t from, int64_t to);
  void RemoveUpTo(int64_t number);  // everything <= number

  bool Contains(int64_t number) const { return Covers(number - 1, number); }
  // True when every number of (from, to] is here; so true for an empty interval.
  bool Covers(int64_t from, int64_t to) const;

  // How many numbers.
  uint64_t Count() const { return count_; }
  // How many intervals.
  size_t size() const { return intervals_.size(); }
  bool empty() const { return intervals_.empty(); }

  // The intervals as pairs (from, to), rising. Changes invalidate iterators.
  Map::const_iterator begin() const { return intervals_.begin(); }
  Map::const_iterator end() const { return intervals_.end(); }

  friend bool operator==(const IntervalSet& a, const IntervalSet& b) {
    return a.intervals_ == b.intervals_;
  }

 private:
  Map intervals_;
  uint64_t count_ = 0;
};

}  // namespace nightjar::checkpoint

#endif  // SERVICES_COMMON_CHECKPOINT_INTERVAL_SET_H_
