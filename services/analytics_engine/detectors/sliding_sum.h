// A sum over the last hours or minutes, in buckets.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_SLIDING_SUM_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_SLIDING_SUM_H_

#include <array>
#include <cstdint>

namespace nightjar::analytics_engine {

// The window ends with the newest bucket that something was added to, and is up to one bucket
// shorter than its name says. What is older than the window is left out. Not thread-safe.
template <int kBuckets, int64_t kBucketSeconds>
class SlidingSum {
 public:
  void Add(int64_t seconds, uint32_t amount) {
    const int64_t bucket = seconds / kBucketSeconds;
    if (bucket >= newest_ + kBuckets) {
      sums_.fill(0);
      newest_ = bucket;
    }
    while (newest_ < bucket) sums_[++newest_ % kBuckets] = 0;
    if (bucket > newest_ - kBuckets) sums_[bucket % kBuckets] += amount;
  }

  uint64_t total() const {
    uint64_t total = 0;
    for (const uint32_t sum : sums_) total += sum;
    return total;
  }

 private:
  std::array<uint32_t, kBuckets> sums_{};
  int64_t newest_ = 0;  // number of the bucket, counted from the epoch
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_SLIDING_SUM_H_
