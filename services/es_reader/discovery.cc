#include "services/es_reader/discovery.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "services/es_reader/first_sight.h"
#include "spdlog/spdlog.h"

namespace nightjar::es_reader {
namespace {

// "<index uuid>/<shard>/": what all epochs of one shard begin with.
std::string ShardKey(const ShardStats& stats) {
  return absl::StrCat(stats.index_uuid, "/", stats.shard, "/");
}

PrimaryReading Reading(const ShardStats& stats) {
  return {stats.node, stats.global_checkpoint, static_cast<int64_t>(stats.external_refresh_total)};
}

ShardTailOptions TailOptions(const IndexInfo& index) {
  ShardTailOptions options;
  options.refresh_interval = index.refresh_interval;
  options.numbers_repeat = !index.resize_source.empty();
  return options;
}

}  // namespace

Discovery::Discovery(const ReaderOptions& options, NodePool& pool, ReaderState& state,
                     runtime::StageMonitor& monitor, ReaderMetrics& metrics, Clock& clock)
    : options_(options),
      state_(state),
      monitor_(monitor),
      metrics_(metrics),
      clock_(clock),
      client_(pool, options.elastic) {}

void Discovery::Poll() {
  bool list = clock_.Monotonic() >= next_list_;
  {
    std::lock_guard<std::mutex> lock(state_.mutex);
    list = list || std::exchange(state_.look_again, false);
  }
  if (list && !ListIndices()) return;
  if (!ReadStatistics()) return;
  RefreshWhereNeeded();
}

// Tells about a failure of the cluster as a whole, or that it is over. True: no failure.
bool Discovery::Report(const absl::Status& status) {
  {
    std::lock_guard<std::mutex> lock(state_.mutex);
    state_.cluster_down = !status.ok();
  }
  monitor_.SetPeer("elasticsearch", options_.elastic.hosts.front(), status.ok(),
                   std::string(status.message()));
  if (status.ok()) {
    monitor_.ClearCondition("elasticsearch");
    return true;
  }
  monitor_.SetCondition("elasticsearch", std::string(status.message()));
  monitor_.RecordError(status.message());
  return false;
}

bool Discovery::ListIndices() {
  const absl::StatusOr<std::vector<IndexInfo>> list = client_.Resolve(options_.patterns);
  const bool none = list.status().code() == absl::StatusCode::kNotFound;
  if (!list.ok() && !none) return Report(list.status());
  std::set<std::string> closed;
  indices_.clear();
  for (auto& [uuid, times] : absent_) ++times;
  if (list.ok()) {
    for (const IndexInfo& index : *list) {
      absent_[index.uuid] = 0;
      if (index.closed) {
        closed.insert(index.name);
        monitor_.SetCondition(
            absl::StrCat("index:", index.name),
            absl::StrCat("index ", index.name, " is closed; nothing of it is read until POST /",
                         index.name, "/_open"));
      } else {
        indices_.emplace(index.name, index);
      }
    }
  }
  for (const std::string& name : closed_) {
    if (closed.count(name) == 0) monitor_.ClearCondition(absl::StrCat("index:", name));
  }
  closed_ = std::move(closed);
  DropDeleted();
  // A first user waits for the first index, so that is looked for in every poll; one that went
  // away only after a while, since it counts as deleted when it is absent from two lists.
  const bool waiting = none && absent_.empty();
  next_list_ = clock_.Monotonic() + (waiting ? absl::ZeroDuration() : kEvery);
  if (none) return Report(list.status());
  return true;
}

void Discovery::DropDeleted() {
  std::lock_guard<std::mutex> lock(state_.mutex);
  std::vector<ShardPtr> deleted;
  for (const auto& [epoch, shard] : state_.shards) {
    const auto index = indices_.find(shard->index);
    if (index != indices_.end() && index->second.uuid == shard->index_uuid) {
      shard->tail.SetRefreshInterval(index->second.refresh_interval);
    } else {
      shard->present = false;
    }
    const auto absent = absent_.find(shard->index_uuid);
    if (absent == absent_.end() || absent->second >= kAbsentMax) deleted.push_back(shard);
  }
  for (const ShardPtr& shard : deleted) {
    const ShardPosition& position = state_.position.shards[shard->epoch];
    const uint64_t lost = Shard::Lag(position, shard->tail.global_checkpoint());
    if (lost > 0) {
      metrics_.deleted_before_drained.Increment(static_cast<double>(lost));
      spdlog::error("source_deleted_before_drained: {} was deleted with {} operations not read",
                    shard->name, lost);
    } else {
      spdlog::info("{} was deleted; it had been read to its end", shard->name);
    }
    Drop(shard);
  }
  // The position keeps an epoch for a while, in case the index was only out of sight.
  for (auto known = state_.position.shards.begin(); known != state_.position.shards.end();) {
    const std::string uuid = known->first.substr(0, known->first.find('/'));
    const bool gone = state_.shards.count(known->first) == 0 && absent_.count(uuid) == 0 &&
                      clock_.Now() - known->second.last_seen > kForgetAfter;
    known = gone ? state_.position.shards.erase(known) : std::next(known);
  }
  for (auto absent = absent_.begin(); absent != absent_.end();) {
    absent = absent->second >= kAbsentMax ? absent_.erase(absent) : std::next(absent);
  }
}

void Discovery::Drop(const ShardPtr& shard) {
  const int number = shard->number;
  metrics_.Forget(metrics_.Lag(shard->index, number), metrics_.Reached(shard->index, number));
  monitor_.ClearCondition(absl::StrCat("shard:", shard->name));
  monitor_.ClearCondition(absl::StrCat("search:", shard->name));
  shard->present = false;
  state_.shards.erase(shard->epoch);
}

bool Discovery::ReadStatistics() {
  {
    std::lock_guard<std::mutex> lock(state_.mutex);
    for (const auto& [epoch, shard] : state_.shards) shard->tail.BeginPoll();
  }
  const absl::StatusOr<std::vector<ShardStats>> statistics = client_.Stats(options_.patterns);
  if (!Report(statistics.status())) return false;
  std::set<std::string> seen;
  for (const ShardStats& stats : *statistics) {
    const auto index = indices_.find(stats.index);
    if (index == indices_.end() || index->second.uuid != stats.index_uuid) {
      // Not when it is listed as closed, which the statistics may know later than the list.
      std::lock_guard<std::mutex> lock(state_.mutex);
      state_.look_again = state_.look_again || closed_.count(stats.index) == 0;
      continue;
    }
    seen.insert(stats.epoch());
    if (!Observe(index->second, stats)) Adopt(index->second, stats);
  }
  MarkMissing(seen);
  std::lock_guard<std::mutex> lock(state_.mutex);
  metrics_.searches_allowed.Set(state_.throttle.searches_allowed());
  state_.changed.notify_all();
  return true;
}

bool Discovery::Observe(const IndexInfo& index, const ShardStats& stats) {
  const absl::Duration now = clock_.Monotonic();
  std::lock_guard<std::mutex> lock(state_.mutex);
  const auto known = state_.shards.find(stats.epoch());
  if (known == state_.shards.end()) return false;
  Shard& shard = *known->second;
  shard.present = true;
  shard.last_present = now;
  shard.tail.Observe(Reading(stats), now);
  ShardPosition& position = state_.position.shards[stats.epoch()];
  position.index = index.name;
  position.last_seen = clock_.Now();
  const int64_t checkpoint = shard.tail.global_checkpoint();
  metrics_.Lag(stats.index, stats.shard).Set(Shard::Lag(position, checkpoint));
  metrics_.Reached(stats.index, stats.shard).Set(position.reached());
  const std::string condition = absl::StrCat("checkpoint:", shard.name);
  if (shard.tail.checkpoint_went_back(now)) {
    monitor_.SetCondition(
        condition, absl::StrCat(shard.name, ": the global checkpoint is ", stats.global_checkpoint,
                                " and was ", checkpoint,
                                " before; nothing new is read until it is reached again"));
  } else {
    monitor_.ClearCondition(condition);
  }
  return true;
}

void Discovery::Adopt(const IndexInfo& index, const ShardStats& stats) {
  if (!ReplaceOldEpoch(stats)) return;
  const std::string epoch = stats.epoch();
  const std::string condition = absl::StrCat("shard:", stats.index, "[", stats.shard, "]");
  std::optional<ShardPosition> position;
  absl::Time first_start;
  StartPolicy start;
  {
    std::lock_guard<std::mutex> lock(state_.mutex);
    const auto known = state_.position.shards.find(epoch);
    if (known != state_.position.shards.end()) position = known->second;
    first_start = state_.position.first_start;
    start = state_.position.start;
  }
  if (!position) {
    absl::StatusOr<ShardPosition> begin = FirstSight(client_, index, stats, first_start, start);
    if (!begin.ok()) {
      monitor_.SetCondition(condition, absl::StrCat("cannot find where to begin in ", index.name,
                                                    ": ", begin.status().message()));
      return;  // asked again at the next poll
    }
    position = *std::move(begin);
    spdlog::info("{}[{}] is new here: reading from number {}", index.name, stats.shard,
                 position->reached() + 1);
  }
  monitor_.ClearCondition(condition);
  position->last_seen = clock_.Now();
  auto shard = std::make_shared<Shard>(stats, TailOptions(index), *position);
  shard->last_present = clock_.Monotonic();
  shard->tail.SetRefreshForbidden(refresh_forbidden_.count(index.name) > 0);
  shard->tail.BeginPoll();
  shard->tail.Observe(Reading(stats), clock_.Monotonic());
  std::lock_guard<std::mutex> lock(state_.mutex);
  state_.position.shards[epoch] = *std::move(position);
  state_.position_changed = true;
  state_.shards.emplace(epoch, std::move(shard));
}

// An epoch other than the one read until now: numbers mean something else, so everything is read
// again. False: the shard is held, because that happened too often.
bool Discovery::ReplaceOldEpoch(const ShardStats& stats) {
  const std::string key = ShardKey(stats);
  const absl::Duration now = clock_.Monotonic();
  const std::string condition = absl::StrCat("epochs:", stats.index, "[", stats.shard, "]");
  std::lock_guard<std::mutex> lock(state_.mutex);
  const auto old = state_.position.shards.lower_bound(key);
  const bool changed = old != state_.position.shards.end() && absl::StartsWith(old->first, key) &&
                       old->first != stats.epoch();
  if (!changed) return true;
  std::deque<absl::Duration>& changes = epoch_changes_[key];
  while (!changes.empty() && now - changes.front() > absl::Hours(1)) changes.pop_front();
  if (changes.size() >= kEpochChangesMax) {
    monitor_.SetCondition(
        condition,
        absl::StrCat("the history of ", stats.index, "[", stats.shard, "] changed more than ",
                     kEpochChangesMax, " times in an hour; it is not read until an hour is over"));
    return false;
  }
  changes.push_back(now);
  monitor_.ClearCondition(condition);
  metrics_.epoch_changes.Increment();
  spdlog::warn(
      "{}[{}] has another history than before (restored, or a stale copy was made the "
      "primary): it is read again from its beginning, and events may arrive twice",
      stats.index, stats.shard);
  const auto shard = state_.shards.find(old->first);
  if (shard != state_.shards.end()) Drop(ShardPtr(shard->second));
  state_.position.shards.erase(old);
  // A place in the new epoch, so that no start policy applies to it.
  ShardPosition begin;
  begin.index = stats.index;
  begin.last_seen = clock_.Now();
  state_.position.shards.emplace(stats.epoch(), std::move(begin));
  state_.position_changed = true;
  return true;
}

void Discovery::MarkMissing(const std::set<std::string>& seen) {
  const absl::Duration now = clock_.Monotonic();
  std::lock_guard<std::mutex> lock(state_.mutex);
  for (const auto& [epoch, shard] : state_.shards) {
    const std::string condition = absl::StrCat("shard:", shard->name);
    if (seen.count(epoch) > 0) {
      monitor_.ClearCondition(condition);
      continue;
    }
    shard->present = false;
    const bool open = indices_.count(shard->index) > 0;
    if (open && now - shard->last_present >= kMissingPrimaryMax) {
      monitor_.SetCondition(condition, absl::StrCat(shard->name,
                                                    " has had no started primary "
                                                    "for 2 minutes; other shards are read"));
    }
  }
}

void Discovery::RefreshWhereNeeded() {
  std::map<std::string, std::vector<ShardPtr>> shards;  // by index
  std::map<std::string, std::vector<PrimaryReading>> asked_for;
  {
    std::lock_guard<std::mutex> lock(state_.mutex);
    std::set<std::string> needed;
    for (const auto& [epoch, shard] : state_.shards) {
      const std::string& index = shard->index;
      if (shard->present && shard->tail.NeedsRefresh(clock_.Monotonic())) needed.insert(index);
      shards[index].push_back(shard);
      asked_for[index].push_back(shard->tail.primary());
    }
    for (auto it = shards.begin(); it != shards.end();) {
      it = needed.count(it->first) > 0 ? std::next(it) : shards.erase(it);
    }
  }
  for (const auto& [name, of_index] : shards) {
    const auto index = indices_.find(name);
    if (index != indices_.end()) Refresh(index->second, of_index, asked_for[name]);
  }
}

void Discovery::Refresh(const IndexInfo& index, const std::vector<ShardPtr>& shards,
                        const std::vector<PrimaryReading>& asked_for) {
  metrics_.refreshes_forced.Increment();
  const absl::StatusOr<RefreshResult> result = client_.Refresh(index.name);
  const bool forbidden = result.status().code() == absl::StatusCode::kPermissionDenied;
  if (forbidden && refresh_forbidden_.insert(index.name).second) {
    spdlog::warn(
        "{}: {}. Empty numbers can then only be assumed after a wait; grant "
        "indices:admin/refresh* to have them proved",
        index.name, std::string(result.status().message()));
  }
  if (!forbidden && (!result.ok() || !ReachedEveryPrimary(*result, index))) return;
  std::lock_guard<std::mutex> lock(state_.mutex);
  for (size_t i = 0; i < shards.size(); ++i) {
    if (forbidden) {
      shards[i]->tail.SetRefreshForbidden(true);
    } else {
      shards[i]->tail.OnRefreshed(asked_for[i], clock_.Monotonic());
    }
  }
  state_.changed.notify_all();
}

}  // namespace nightjar::es_reader
