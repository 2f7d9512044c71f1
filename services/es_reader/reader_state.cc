#include "services/es_reader/reader_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace nightjar::es_reader {

Shard::Shard(const ShardStats& stats, ShardTailOptions options, const ShardPosition& position)
    : index(stats.index),
      index_uuid(stats.index_uuid),
      number(stats.shard),
      epoch(stats.epoch()),
      name(absl::StrCat(stats.index, "[", stats.shard, "]")),
      numbers_repeat(options.numbers_repeat),
      first_checkpoint(position.first_checkpoint),
      tail(options, Ranges(position)) {}

std::vector<Range> Shard::Ranges(const ShardPosition& position) {
  std::vector<Range> ranges;
  for (const auto& [from, to] : position.closed) ranges.push_back({from, to});
  return ranges;
}

uint64_t Shard::Lag(const ShardPosition& position, int64_t global_checkpoint) {
  const int64_t lag = global_checkpoint + 1 - static_cast<int64_t>(position.closed.Count());
  return std::max<int64_t>(0, lag);
}

std::optional<Job> ReaderState::NextJob(absl::Duration now) {
  if (paused || stopping || position_lost || cluster_down) return std::nullopt;
  auto next = shards.upper_bound(turn_);
  for (size_t i = 0; i < shards.size(); ++i, ++next) {
    if (next == shards.end()) next = shards.begin();
    Shard& shard = *next->second;
    if (!shard.present || now < shard.not_before) continue;
    // What the search would bring is known only once it is made, so a whole window is assumed.
    const auto bytes = static_cast<uint64_t>(
        shard.hit_bytes * std::min(shard.tail.window_numbers(), ShardTail::kWindowNumbers));
    if (!throttle.MayStart(bytes, now)) return std::nullopt;
    std::optional<Fetch> fetch = shard.tail.NextFetch(now);
    if (!fetch) continue;
    turn_ = next->first;
    throttle.Started(bytes);
    ++working;
    return Job{next->second, *std::move(fetch), bytes};
  }
  return std::nullopt;
}

std::vector<admin::v1::ShardLag> ReaderState::Lags() {
  std::lock_guard<std::mutex> lock(mutex);
  std::vector<admin::v1::ShardLag> lags;
  for (const auto& [epoch, shard] : shards) {
    const ShardPosition& known = position.shards[epoch];
    admin::v1::ShardLag lag;
    lag.set_index(shard->index);
    lag.set_shard(shard->number);
    lag.set_position(known.reached());
    lag.set_global_checkpoint(shard->tail.global_checkpoint());
    lag.set_lag_operations(Shard::Lag(known, shard->tail.global_checkpoint()));
    lags.push_back(std::move(lag));
  }
  return lags;
}

}  // namespace nightjar::es_reader
