// How often peers may make us write a log line.
#ifndef SERVICES_COMMON_RPC_LOG_QUOTA_H_
#define SERVICES_COMMON_RPC_LOG_QUOTA_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/common/clock/clock.h"

namespace nightjar::rpc {

// So many lines a minute; what is over is counted, and told with the next one. Thread-safe.
class LogQuota {
 public:
  static constexpr uint64_t kLinesMax = 20;

  explicit LogQuota(Clock& clock) : clock_(clock) {}

  // Empty: say nothing. Otherwise what to add to the line: "", or how many were left out before it.
  std::optional<std::string> Take() {
    const absl::Duration now = clock_.Monotonic();
    std::lock_guard<std::mutex> lock(mutex_);
    if (now - minute_ >= absl::Minutes(1)) {
      minute_ = now;
      said_ = 0;
    }
    if (said_ == kLinesMax) {
      ++left_out_;
      return std::nullopt;
    }
    ++said_;
    const uint64_t left_out = std::exchange(left_out_, 0);
    return left_out == 0 ? "" : absl::StrCat(" (and ", left_out, " more before it)");
  }

 private:
  Clock& clock_;
  std::mutex mutex_;
  absl::Duration minute_ = -absl::InfiniteDuration();  // when the present one began
  uint64_t said_ = 0;                                  // in it
  uint64_t left_out_ = 0;
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_LOG_QUOTA_H_
