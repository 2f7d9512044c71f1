#include "services/es_reader/first_sight.h"

#include <algorithm>
#include <optional>

#include "services/common/status/status_macros.h"

namespace nightjar::es_reader {
namespace {

constexpr absl::Duration kClockDifferenceMax = absl::Minutes(5);

}  // namespace

bool ReachedEveryPrimary(const RefreshResult& result, const IndexInfo& index) {
  return result.failed == 0 && result.successful >= index.shards;
}

absl::StatusOr<ShardPosition> FirstSight(ElasticClient& client, const IndexInfo& index,
                                         const ShardStats& stats, absl::Time first_start,
                                         const StartPolicy& start) {
  ShardPosition position;
  position.index = index.name;
  const bool is_new = index.created >= first_start - kClockDifferenceMax;
  const int64_t checkpoint = stats.global_checkpoint;
  if (is_new || start.kind == StartPolicy::Kind::kEarliest || checkpoint < 0) return position;
  if (start.kind == StartPolicy::Kind::kLatest) {
    position.closed.Add(-1, checkpoint);
    return position;
  }
  position.first_checkpoint = checkpoint;
  const absl::StatusOr<RefreshResult> refresh = client.Refresh(index.name);
  if (!refresh.ok() && refresh.status().code() != absl::StatusCode::kPermissionDenied) {
    return refresh.status();
  }
  // What cannot be seen cannot be skipped: then all is read, and old documents are left out one by
  // one.
  if (!refresh.ok() || !ReachedEveryPrimary(*refresh, index)) return position;
  ASSIGN_OR_RETURN(const std::optional<int64_t> first,
                   client.FirstSeqNoSince(index.name, stats.shard, stats.node, start.since));
  const int64_t below = first ? std::min(*first - 1, checkpoint) : checkpoint;
  position.closed.Add(-1, below);  // empty when the first is number 0
  return position;
}

}  // namespace nightjar::es_reader
