#include "services/analytics_engine/detectors/recent_set.h"

#include <cstdlib>

namespace nightjar::analytics_engine {
namespace {

constexpr size_t kFirstSlots = 8;

// The slot that holds `member`, or the free one where it belongs. At least one slot is free.
size_t SlotOf(const std::vector<uint32_t>& slots, uint32_t member) {
  size_t slot = member & (slots.size() - 1);  // a power of two
  while (slots[slot] != 0 && slots[slot] != member) slot = (slot + 1) & (slots.size() - 1);
  return slot;
}

}  // namespace

RecentSet::~RecentSet() {
  Release(&younger_);
  Release(&older_);
}

RecentSet& RecentSet::operator=(RecentSet&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(younger_, other.younger_);
  std::swap(older_, other.older_);
  std::swap(younger_since_, other.younger_since_);
  return *this;
}

bool RecentSet::Insert(uint64_t hash, int64_t seconds) {
  const uint32_t member = static_cast<uint32_t>(hash) == 0 ? 1 : static_cast<uint32_t>(hash);
  // Either way round: time may jump back when telemetry is replayed.
  if (std::abs(seconds - younger_since_) >= kGenerationSeconds) Turn(seconds);
  if (Contains(younger_, member) || Contains(older_, member)) return false;
  const bool full = (younger_.used + 1) * 4 > younger_.slots.size() * 3;
  if (full && !Grow()) Turn(seconds);
  if (younger_.slots.empty() && !Grow()) return true;  // nothing can be remembered
  Add(member, &younger_);
  return true;
}

bool RecentSet::Contains(const Generation& generation, uint32_t member) {
  return !generation.slots.empty() && generation.slots[SlotOf(generation.slots, member)] == member;
}

void RecentSet::Add(uint32_t member, Generation* generation) {
  generation->slots[SlotOf(generation->slots, member)] = member;
  ++generation->used;
}

bool RecentSet::Grow() {
  const size_t size = younger_.slots.empty() ? kFirstSlots : younger_.slots.size() * 2;
  const size_t more = size - younger_.slots.size();
  if (size > kSlotsMax || budget_->slots + more > budget_->slots_max) return false;
  budget_->slots += more;
  Generation grown{std::vector<uint32_t>(size), 0};
  for (const uint32_t member : younger_.slots) {
    if (member != 0) Add(member, &grown);
  }
  younger_ = std::move(grown);
  return true;
}

void RecentSet::Turn(int64_t seconds) {
  Release(&older_);
  std::swap(younger_, older_);
  younger_since_ = seconds;
}

void RecentSet::Release(Generation* generation) {
  if (budget_ != nullptr) budget_->slots -= generation->slots.size();
  *generation = Generation();
}

}  // namespace nightjar::analytics_engine
