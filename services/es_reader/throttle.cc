#include "services/es_reader/throttle.h"

#include <algorithm>

namespace nightjar::es_reader {

Throttle::Throttle(const ThrottleOptions& options)
    : options_(options), allowed_(options.searches_in_flight_max) {}

double Throttle::TokensAt(absl::Duration now) const {
  const double rate = static_cast<double>(options_.docs_per_second_max);
  const double earned = rate * absl::ToDoubleSeconds(now - tokens_at_);
  return std::min(rate, tokens_ + earned);  // at most a second's worth is saved up
}

bool Throttle::MayStart(uint64_t bytes, absl::Duration now) const {
  if (now < not_before_ || in_flight_ >= allowed_) return false;
  if (options_.docs_per_second_max > 0 && TokensAt(now) < 0) return false;
  return in_flight_ == 0 || bytes_ + bytes <= options_.fetch_bytes_max;
}

void Throttle::Started(uint64_t bytes) {
  ++in_flight_;
  bytes_ += bytes;
}

void Throttle::Ended(uint64_t bytes) {
  --in_flight_;
  bytes_ -= bytes;
}

void Throttle::OnAnswer(uint64_t documents, absl::Duration took, absl::Duration now) {
  backoff_.Reset();
  if (options_.docs_per_second_max > 0) {
    tokens_ = TokensAt(now) - static_cast<double>(documents);
    tokens_at_ = now;
  }
  if (took >= kSlowSearch) {
    StepDown(allowed_ - 1, now);
  } else if (++good_in_a_row_ >= kGoodSearchesForMore) {
    good_in_a_row_ = 0;
    allowed_ = std::min(allowed_ + 1, options_.searches_in_flight_max);
  }
}

bool Throttle::OnPushBack(std::optional<absl::Duration> retry_after, absl::Duration now) {
  const bool single = allowed_ == 1;
  not_before_ = std::max(not_before_, now + backoff_.Next(retry_after));
  StepDown(allowed_ / 2, now);
  return single;
}

void Throttle::StepDown(int to, absl::Duration now) {
  good_in_a_row_ = 0;
  if (now - stepped_down_ < kSlowerEvery) return;
  stepped_down_ = now;
  allowed_ = std::max(1, to);
}

}  // namespace nightjar::es_reader
