#include "services/common/checkpoint/interval_set.h"

#include <algorithm>
#include <iterator>

namespace nightjar::checkpoint {
namespace {

// Defined for every from < to, however far apart.
uint64_t Length(int64_t from, int64_t to) {
  return static_cast<uint64_t>(to) - static_cast<uint64_t>(from);
}

}  // namespace

void IntervalSet::Add(int64_t from, int64_t to) {
  if (from >= to) return;
  auto next = intervals_.upper_bound(from);
  if (next != intervals_.begin()) {
    auto before = std::prev(next);
    if (before->second >= to) return;
    if (before->second >= from) {
      from = before->first;
      count_ -= Length(before->first, before->second);
      next = intervals_.erase(before);
    }
  }
  while (next != intervals_.end() && next->first <= to) {
    to = std::max(to, next->second);
    count_ -= Length(next->first, next->second);
    next = intervals_.erase(next);
  }
  intervals_.emplace_hint(next, from, to);
  count_ += Length(from, to);
}

void IntervalSet::Subtract(int64_t from, int64_t to) {
  if (from >= to) return;
  auto it = intervals_.upper_bound(from);
  if (it != intervals_.begin()) --it;
  while (it != intervals_.end() && it->first < to) {
    const auto [first, last] = *it;
    if (last <= from) {
      ++it;
      continue;
    }
    it = intervals_.erase(it);
    count_ -= Length(std::max(first, from), std::min(last, to));
    if (first < from) it = std::next(intervals_.emplace(first, from).first);
    if (to < last) it = std::next(intervals_.emplace(to, last).first);
  }
}

void IntervalSet::RemoveUpTo(int64_t number) {
  if (!intervals_.empty()) Subtract(std::min(intervals_.begin()->first, number), number);
}

bool IntervalSet::Covers(int64_t from, int64_t to) const {
  if (from >= to) return true;
  auto next = intervals_.upper_bound(from);
  return next != intervals_.begin() && std::prev(next)->second >= to;
}

}  // namespace nightjar::checkpoint
