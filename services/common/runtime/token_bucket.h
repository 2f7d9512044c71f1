// A rate limit: so many a second, with a burst of one second's worth.
#ifndef SERVICES_COMMON_RUNTIME_TOKEN_BUCKET_H_
#define SERVICES_COMMON_RUNTIME_TOKEN_BUCKET_H_

#include <algorithm>

#include "absl/time/time.h"

namespace nightjar::runtime {

// Not thread-safe. `now` is monotonic.
class TokenBucket {
 public:
  TokenBucket(double per_second, absl::Duration now)
      : per_second_(per_second), tokens_(per_second), filled_(now) {}

  // True: go ahead, one token is taken. False: over the limit.
  bool Take(absl::Duration now) {
    tokens_ = std::min(per_second_, tokens_ + per_second_ * absl::ToDoubleSeconds(now - filled_));
    filled_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  const double per_second_;
  double tokens_;
  absl::Duration filled_;
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_TOKEN_BUCKET_H_
