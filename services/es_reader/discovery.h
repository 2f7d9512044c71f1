// Which indices and shards there are and how far they have come: the reader's view of the cluster.
#ifndef SERVICES_ES_READER_DISCOVERY_H_
#define SERVICES_ES_READER_DISCOVERY_H_

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/common/clock/clock.h"
#include "services/common/config/secret.h"
#include "services/common/runtime/stage_monitor.h"
#include "services/es_reader/config.h"
#include "services/es_reader/elastic/elastic_client.h"
#include "services/es_reader/reader_metrics.h"
#include "services/es_reader/reader_state.h"

namespace nightjar::es_reader {

// Used by one thread, but for the last two methods. Failures are conditions of the stage, said once
// when they begin and once when they end; what is known stays as it is until the cluster says
// otherwise. Everything passed in outlives it.
class Discovery {
 public:
  static constexpr absl::Duration kEvery = absl::Seconds(10);  // list, once there is an index
  static constexpr absl::Duration kMissingPrimaryMax = absl::Minutes(2);  // then it is an alarm
  static constexpr int kAbsentMax = 2;        // lists without an index, then it was deleted
  static constexpr int kEpochChangesMax = 3;  // of a shard in an hour, then it is held
  static constexpr absl::Duration kForgetAfter = absl::Hours(24 * 7);  // an epoch that is gone

  Discovery(const ReaderOptions& options, NodePool& pool, ReaderState& state,
            runtime::StageMonitor& monitor, ReaderMetrics& metrics, Clock& clock);

  // One round: the list of indices when due, the statistics, refreshes where holes need one.
  void Poll();

  void Cancel() { client_.Cancel(); }

  // Who asks, from the next request on.
  void SetAuthorization(const config::Secret& value) { client_.SetAuthorization(value); }

 private:
  bool ListIndices();
  void DropDeleted();
  void Drop(const ShardPtr& shard);
  bool ReadStatistics();
  bool Observe(const IndexInfo& index, const ShardStats& stats);
  void Adopt(const IndexInfo& index, const ShardStats& stats);
  bool ReplaceOldEpoch(const ShardStats& stats);
  void MarkMissing(const std::set<std::string>& seen);
  void RefreshWhereNeeded();
  void Refresh(const IndexInfo& index, const std::vector<ShardPtr>& shards,
               const std::vector<PrimaryReading>& asked_for);
  bool Report(const absl::Status& status);

  const ReaderOptions& options_;
  ReaderState& state_;
  runtime::StageMonitor& monitor_;
  ReaderMetrics& metrics_;
  Clock& clock_;
  ElasticClient client_;
  std::map<std::string, IndexInfo> indices_;  // open ones, by name
  std::map<std::string, int> absent_;         // by uuid: lists in a row without it
  std::set<std::string> closed_;              // names
  std::map<std::string, std::deque<absl::Duration>> epoch_changes_;  // by "<uuid>/<shard>/"
  std::set<std::string> refresh_forbidden_;                          // names
  absl::Duration next_list_ = -absl::InfiniteDuration();
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_DISCOVERY_H_
