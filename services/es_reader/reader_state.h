// What the reader's threads share: the shards being read, the position, and what holds reading
// back.
#ifndef SERVICES_ES_READER_READER_STATE_H_
#define SERVICES_ES_READER_READER_STATE_H_

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/admin/v1/stage.pb.h"
#include "services/common/delivery/retry.h"
#include "services/es_reader/elastic/types.h"
#include "services/es_reader/page_builder.h"
#include "services/es_reader/position.h"
#include "services/es_reader/tail/shard_tail.h"
#include "services/es_reader/throttle.h"

namespace nightjar::es_reader {

// One epoch of one shard.
struct Shard {
  Shard(const ShardStats& stats, ShardTailOptions options, const ShardPosition& position);

  // Operations up to the checkpoint that the position does not hold.
  static uint64_t Lag(const ShardPosition& position, int64_t global_checkpoint);
  static std::vector<Range> Ranges(const ShardPosition& position);

  // May be read without the mutex.
  const std::string index;
  const std::string index_uuid;
  const int number;
  const std::string epoch;
  const std::string name;  // "packetbeat-7.17.29[0]", for messages
  const bool numbers_repeat;
  const int64_t first_checkpoint;  // see ShardPosition

  ShardTail tail;
  bool present = true;  // the latest statistics have a started primary
  absl::Duration last_present;
  double hit_bytes = 8 << 10;  // mean of a document in a reply
  delivery::Backoff backoff;   // after failed searches
  absl::Duration not_before = -absl::InfiniteDuration();
  std::optional<absl::Duration> failing_since;  // the first failed search since a good one
};
using ShardPtr = std::shared_ptr<Shard>;

// A search to make, with what it has reserved.
struct Job {
  ShardPtr shard;
  Fetch fetch;
  uint64_t reserved_bytes = 0;
  bool with_source = true;  // false: one document that is too large to be fetched
};

// A batch downstream refused for good: its documents are yet to be quarantined.
struct RefusedBatch {
  ShardPtr shard;
  int64_t window = 0;
  std::vector<int64_t> seq_nos;
  std::map<absl::string_view, uint64_t> types;
  std::string text;
};

// Everything is guarded by `mutex`; whoever changes something that a worker may wait for notifies
// `changed`.
struct ReaderState {
  explicit ReaderState(const ThrottleOptions& options) : throttle(options) {}

  // The next search in turn over the shards, if one may start now. Call with the mutex held.
  std::optional<Job> NextJob(absl::Duration now);
  // How far each shard has come. Takes the mutex.
  std::vector<admin::v1::ShardLag> Lags();

  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, ShardPtr> shards;  // by epoch
  Throttle throttle;
  Position position;  // in memory, ahead of the file
  bool position_changed = false;
  std::vector<RefusedBatch> refused;
  uint64_t documents_in_flight = 0;  // read and without an outcome
  int working = 0;                   // workers with a job
  bool look_again = false;           // the list of indices may be out of date
  bool cluster_down = false;         // the latest statistics could not be read
  bool paused = false;
  bool position_lost = false;  // the position could not be written for too long
  bool stopping = false;       // no new searches
  bool drained = false;        // one last round, then the looking thread ends
  bool finished = false;       // ... and has ended

 private:
  std::string turn_;  // epoch whose turn was last
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_READER_STATE_H_
