#include "services/es_reader/tail/shard_tail.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "services/common/status/check.h"

namespace nightjar::es_reader {
namespace {

constexpr absl::Duration kDefaultRefreshInterval = absl::Seconds(1);

absl::Duration Interval(const ShardTailOptions& options) {
  return options.refresh_interval.value_or(kDefaultRefreshInterval);
}

bool RefreshIsOff(const ShardTailOptions& options) {
  return Interval(options) < absl::ZeroDuration();
}

}  // namespace

ShardTail::ShardTail(ShardTailOptions options, const std::vector<Range>& closed)
    : options_(std::move(options)) {
  for (const Range& range : closed) {
    CHECK(range.from >= read_ && range.to > range.from);
    if (range.from > read_) gaps_.push_back({read_, range.from});
    read_ = range.to;
  }
}

void ShardTail::Observe(const PrimaryReading& primary, absl::Duration now) {
  CHECK(poll_ > observed_poll_);
  observed_poll_ = poll_;
  primary_ = primary;
  visibility_.Observe(primary.node, primary.global_checkpoint, primary.external_refreshes, now);
  if (primary.global_checkpoint >= global_checkpoint_) {
    global_checkpoint_ = primary.global_checkpoint;
    low_since_.reset();
  } else if (!low_since_) {
    low_since_ = now;
  }
  for (auto window = windows_.begin(); window != windows_.end();) CloseIfDone(window++);
}

bool ShardTail::checkpoint_went_back(absl::Duration now) const {
  return low_since_ && now - *low_since_ >= kLowCheckpointMax;
}

ShardTail::Ask ShardTail::Wanted(const Window& window, absl::Duration now) const {
  if (window.in_flight) return Ask::kNothing;
  if (!window.fetched) return Ask::kRange;
  if (window.missing.empty()) return Ask::kNothing;
  if (window.to <= visibility_.visible_to()) return Ask::kMissing;
  const absl::Duration assume_after = std::max(3 * Interval(options_), kAssumeAfterMin);
  if (refresh_forbidden_ && now - window.created >= assume_after) return Ask::kMissingAssuming;
  if (primary_.external_refreshes > window.asked_after) return Ask::kMissingEarly;
  return Ask::kNothing;
}

size_t ShardTail::OpenWindows() const {
  return std::count_if(windows_.begin(), windows_.end(),
                       [](const auto& w) { return w.second.fetched && !w.second.missing.empty(); });
}

std::optional<Range> ShardTail::NextRange() const {
  if (windows_.size() >= kWindowsMax || OpenWindows() >= kOpenWindowsMax) return std::nullopt;
  const int64_t from = gaps_.empty() ? read_ : gaps_.front().from;
  int64_t end = gaps_.empty() ? global_checkpoint_ : gaps_.front().to;
  end = std::min(end, global_checkpoint_);
  if (end <= from) return std::nullopt;
  // Long windows are for stretches where holes are proved at once; the missing numbers of others
  // are kept in memory.
  const bool proving = from + window_numbers_ <= visibility_.visible_to();
  const int64_t numbers = proving ? window_numbers_ : std::min(window_numbers_, kWindowNumbers);
  return Range{from, std::min(from + numbers, end)};
}

int ShardTail::SizeFor(int64_t numbers) const {
  return static_cast<int>(options_.numbers_repeat ? 2 * numbers + kNumberRepeatsMax : numbers);
}

Fetch ShardTail::MakeFetch(int64_t from, const Window& window, Ask ask) const {
  Fetch fetch;
  fetch.window = from;
  fetch.range = {from, window.to};
  fetch.node = primary_.node;
  fetch.proving = window.to <= visibility_.visible_to();
  fetch.assuming = ask == Ask::kMissingAssuming;
  int64_t numbers = window.to - from;
  if (ask != Ask::kRange) {
    numbers = std::min<int64_t>(window.missing.size(), window_numbers_);
    fetch.numbers.assign(window.missing.begin(), window.missing.begin() + numbers);
  }
  fetch.size = SizeFor(numbers);
  return fetch;
}

std::optional<Fetch> ShardTail::NextFetch(absl::Duration now) {
  if (fetches_ >= kFetchesMax) return std::nullopt;
  auto next = windows_.begin();
  Ask ask = Ask::kNothing;
  for (; next != windows_.end(); ++next) {
    ask = Wanted(next->second, now);
    if (ask != Ask::kNothing) break;
  }
  if (next == windows_.end()) {
    const std::optional<Range> range = NextRange();
    if (!range) return std::nullopt;
    if (gaps_.empty()) {
      read_ = range->to;
    } else {
      gaps_.front().from = range->to;
      if (gaps_.front().from == gaps_.front().to) gaps_.pop_front();
    }
    Window window;
    window.to = range->to;
    window.created = now;
    const auto [inserted, is_new] = windows_.emplace(range->from, std::move(window));
    CHECK(is_new);
    next = inserted;
    ask = Ask::kRange;
  }
  CHECK(next->second.to <= global_checkpoint_);
  next->second.in_flight = true;
  next->second.asked_after = primary_.external_refreshes;
  ++fetches_;
  return MakeFetch(next->first, next->second, ask);
}

bool ShardTail::HasFetch(absl::Duration now) const {
  if (fetches_ >= kFetchesMax) return false;
  if (NextRange()) return true;
  return std::any_of(windows_.begin(), windows_.end(),
                     [&](const auto& w) { return Wanted(w.second, now) != Ask::kNothing; });
}

ShardTail::Window& ShardTail::InFlight(const Fetch& fetch) {
  const auto found = windows_.find(fetch.window);
  CHECK(found != windows_.end() && found->second.in_flight);
  return found->second;
}

Holes ShardTail::OnPage(const Fetch& fetch, std::vector<int64_t> seen) {
  Window& window = InFlight(fetch);
  window.in_flight = false;
  --fetches_;
  window.outstanding += seen.size();
  window.last_page_poll = poll_;
  const size_t documents = seen.size();
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  const Holes holes = ResolveMissing(fetch, seen, window);
  if (fetch.numbers.empty()) AdaptWindow(fetch, documents);
  CloseIfDone(windows_.find(fetch.window));
  return holes;
}

Holes ShardTail::ResolveMissing(const Fetch& fetch, const std::vector<int64_t>& seen,
                                Window& window) {
  Holes holes;
  std::vector<int64_t> unseen;
  if (fetch.numbers.empty()) {
    CHECK(seen.empty() || (seen.front() > fetch.range.from && seen.back() <= fetch.range.to));
    window.fetched = true;
    auto next = seen.begin();
    for (int64_t n = fetch.range.from + 1; n <= fetch.range.to; ++n) {
      if (next != seen.end() && *next == n) {
        ++next;
      } else {
        unseen.push_back(n);
      }
    }
    if (!fetch.proving) window.missing = unseen;
  } else {
    CHECK(std::includes(fetch.numbers.begin(), fetch.numbers.end(), seen.begin(), seen.end()));
    holes.late = seen.size();
    std::set_difference(fetch.numbers.begin(), fetch.numbers.end(), seen.begin(), seen.end(),
                        std::back_inserter(unseen));
    // A search asks for the first of the missing numbers. An early one proves nothing, so what it
    // does not find stays missing.
    const auto asked_end = window.missing.begin() + fetch.numbers.size();
    auto keep = window.missing.begin();
    if (!fetch.proving && !fetch.assuming) keep = std::copy(unseen.begin(), unseen.end(), keep);
    window.missing.erase(keep, asked_end);
  }
  if (fetch.proving) {
    holes.proved = unseen.size();
  } else if (fetch.assuming) {
    holes.assumed = unseen.size();
  }
  return holes;
}

void ShardTail::AdaptWindow(const Fetch& fetch, size_t documents) {
  const int64_t numbers = fetch.range.to - fetch.range.from;
  if (window_numbers_ < kWindowNumbers) {  // after Shrink or OnTooLarge: slowly back
    window_numbers_ = std::min(kWindowNumbers, window_numbers_ + window_numbers_ / 8 + 1);
  } else if (!fetch.proving || options_.numbers_repeat ||
             2 * static_cast<int64_t>(documents) >= numbers) {
    window_numbers_ = kWindowNumbers;
  } else {
    window_numbers_ = std::min(kWindowNumbersMax, 2 * window_numbers_);
  }
}

void ShardTail::OnFailed(const Fetch& fetch) {
  InFlight(fetch).in_flight = false;
  --fetches_;
}

bool ShardTail::OnTooLarge(const Fetch& fetch) {
  const int64_t numbers = fetch.numbers.empty() ? fetch.range.to - fetch.range.from
                                                : static_cast<int64_t>(fetch.numbers.size());
  if (numbers == 1) return false;
  OnFailed(fetch);
  window_numbers_ = std::max<int64_t>(1, std::min(window_numbers_, numbers / 2));
  if (!fetch.numbers.empty()) return true;  // the next fetch asks for fewer of the missing
  Window& first = windows_.at(fetch.window);
  const int64_t middle = fetch.range.from + numbers / 2;
  Window second = first;
  first.to = middle;
  CHECK(windows_.emplace(middle, std::move(second)).second);
  return true;
}

void ShardTail::OnEventsEnded(int64_t window, uint64_t documents) {
  const auto found = windows_.find(window);
  CHECK(found != windows_.end() && found->second.outstanding >= documents);
  found->second.outstanding -= documents;
  CloseIfDone(found);
}

void ShardTail::Shrink() { window_numbers_ = std::max<int64_t>(1, window_numbers_ / 2); }

bool ShardTail::NeedsRefresh(absl::Duration now) const {
  if (refresh_forbidden_) return false;
  std::optional<absl::Duration> waiting_since;
  for (const auto& [from, window] : windows_) {
    const bool waits = window.fetched && !window.missing.empty() && !window.in_flight &&
                       window.to > visibility_.visible_to();
    if (waits) waiting_since = std::min(waiting_since.value_or(window.created), window.created);
  }
  if (!waiting_since) return false;
  if (RefreshIsOff(options_)) return true;
  const absl::Duration quiet = now - std::max(*waiting_since, visibility_.last_refresh());
  return quiet >= std::max(2 * Interval(options_), kQuietMin);
}

void ShardTail::OnRefreshed(const PrimaryReading& asked_for, absl::Duration now) {
  visibility_.OnRefreshed(asked_for.node, asked_for.global_checkpoint, now);
}

void ShardTail::CloseIfDone(Windows::iterator window) {
  const Window& w = window->second;
  const bool sealed = w.last_page_poll < observed_poll_;
  if (!w.complete() || !sealed || w.outstanding > 0) return;
  CHECK(w.to <= global_checkpoint_);
  closed_.push_back({window->first, w.to});
  windows_.erase(window);
}

std::vector<Range> ShardTail::TakeClosed() { return std::exchange(closed_, {}); }

bool ShardTail::idle() const {
  return windows_.empty() && gaps_.empty() && read_ >= global_checkpoint_;
}

}  // namespace nightjar::es_reader
