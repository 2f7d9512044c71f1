// What the reader knows after a restart: which sequence numbers of which shards have ended for
// good.
#ifndef SERVICES_ES_READER_POSITION_H_
#define SERVICES_ES_READER_POSITION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/common/checkpoint/checkpoint.h"
#include "services/common/checkpoint/interval_set.h"
#include "services/es_reader/start_policy.h"

namespace nightjar::es_reader {

// One epoch of one shard.
struct ShardPosition {
  std::string index;
  // Global checkpoint at first sight: up to it, documents older than the start policy's time are
  // left out. -1: none are.
  int64_t first_checkpoint = -1;
  // Numbers that will never be read again.
  checkpoint::IntervalSet closed;
  // When the shard was last there; epochs that are gone for long are forgotten.
  absl::Time last_seen;

  // The highest number such that everything up to it is closed. -1: nothing yet.
  int64_t reached() const;
};

// A plain value; milliseconds are kept of times.
struct Position {
  absl::Time first_start;
  StartPolicy start;
  std::map<std::string, ShardPosition> shards;  // by epoch, "<index uuid>/<shard>/<history uuid>"
};

// The payload of the checkpoint: JSON.
std::string EncodePosition(const Position& position);
// kDataLoss says what is wrong. Nothing is guessed: an unknown, missing or odd field refuses the
// whole.
absl::StatusOr<Position> DecodePosition(absl::string_view json);

// nullopt: a first start. An unreadable state is exit code 78 and the way out in words, never a
// first start.
absl::StatusOr<std::optional<Position>> LoadPosition(checkpoint::Checkpoint& checkpoint,
                                                     const std::string& folder);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_POSITION_H_
