// "Was this here before, today?" in limited memory.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_RECENT_SET_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_RECENT_SET_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace nightjar::analytics_engine {

// Memory shared by many sets, in slots of 4 bytes. Outlives them.
struct SlotBudget {
  size_t slots_max;
  size_t slots = 0;
};

// Remembers hashes exactly (32 bits of them) in two generations: when the younger one is full or
// old it becomes the older one, which is forgotten. So a member is remembered for one to two
// lifetimes, shorter when there are many. Grows with its content. Not thread-safe.
class RecentSet {
 public:
  static constexpr size_t kSlotsMax = 2048;              // of a generation; three quarters are used
  static constexpr int64_t kGenerationSeconds = 43'200;  // 12 h

  explicit RecentSet(SlotBudget& budget) : budget_(&budget) {}
  ~RecentSet();
  RecentSet(RecentSet&& other) noexcept { *this = std::move(other); }
  RecentSet& operator=(RecentSet&& other) noexcept;

  // Whether it is new.
  bool Insert(uint64_t hash, int64_t seconds);

 private:
  struct Generation {
    std::vector<uint32_t> slots;  // 0: free
    size_t used = 0;
  };

  static bool Contains(const Generation& generation, uint32_t member);
  static void Add(uint32_t member, Generation* generation);
  bool Grow();  // the younger one; false: it has its full size, or the budget is used up
  void Turn(int64_t seconds);
  void Release(Generation* generation);

  SlotBudget* budget_ = nullptr;  // null: moved from
  Generation younger_;
  Generation older_;
  int64_t younger_since_ = 0;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_RECENT_SET_H_
