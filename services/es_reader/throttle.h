// What holds a search back: politeness towards the server, and our own memory.
#ifndef SERVICES_ES_READER_THROTTLE_H_
#define SERVICES_ES_READER_THROTTLE_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "services/common/delivery/retry.h"

namespace nightjar::es_reader {

struct ThrottleOptions {
  uint64_t docs_per_second_max = 0;     // reader.max_docs_per_second; 0: no limit
  int searches_in_flight_max = 4;       // reader.searches_in_flight_max
  uint64_t fetch_bytes_max = 64 << 20;  // reader.fetch_bytes_max
};

// Fewer searches at once when the server says 429 or takes long, more again when it is well
// (additive increase, multiplicative decrease); a token bucket of documents; a budget of reply
// bytes. Not thread-safe. Times are monotonic.
class Throttle {
 public:
  static constexpr absl::Duration kSlowSearch = absl::Seconds(2);  // counts as a server in trouble
  static constexpr absl::Duration kSlowerEvery =
      absl::Seconds(1);                             // at most one step down in this time
  static constexpr int kGoodSearchesForMore = 100;  // in a row, for one more at once

  explicit Throttle(const ThrottleOptions& options);

  // True when a search expected to bring `bytes` may start now. One is always allowed, whatever its
  // size.
  bool MayStart(uint64_t bytes, absl::Duration now) const;
  void Started(uint64_t bytes);
  void Ended(uint64_t bytes);

  // The server answered a search with `documents` after `took`.
  void OnAnswer(uint64_t documents, absl::Duration took, absl::Duration now);
  // 429 or a circuit breaker: nothing is asked for a while, then less at once. True when there is
  // only one search at a time left, so that only smaller ones can help.
  bool OnPushBack(std::optional<absl::Duration> retry_after, absl::Duration now);

  int searches_in_flight() const { return in_flight_; }
  int searches_allowed() const { return allowed_; }

 private:
  void StepDown(int to, absl::Duration now);
  double TokensAt(absl::Duration now) const;

  const ThrottleOptions options_;
  int in_flight_ = 0;
  int allowed_;
  int good_in_a_row_ = 0;
  uint64_t bytes_ = 0;
  double tokens_ = 0;  // documents; negative: in debt
  absl::Duration tokens_at_;
  absl::Duration not_before_ = -absl::InfiniteDuration();
  absl::Duration stepped_down_ = -absl::InfiniteDuration();
  delivery::Backoff backoff_;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_THROTTLE_H_
