// Which sequence numbers a search of a shard's primary is certain to see.
#ifndef SERVICES_ES_READER_TAIL_VISIBILITY_H_
#define SERVICES_ES_READER_TAIL_VISIBILITY_H_

#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace nightjar::es_reader {

// An operation is searchable only after a refresh that began after it. A refresh may be under way
// when the global checkpoint is read, so the second one to finish afterwards (or one that we asked
// for ourselves) is proof. Not thread-safe. Times are Clock::Monotonic().
class Visibility {
 public:
  // How many refreshes must have finished since a checkpoint was read.
  static constexpr int64_t kRefreshesForProof = 2;

  // One reading of `_stats`: the copy's node, its global checkpoint and its count of external
  // refreshes. Another node, or a count that went back, is another copy: what was proved for the
  // old one says nothing about it.
  void Observe(absl::string_view node, int64_t global_checkpoint, int64_t refreshes,
               absl::Duration now);

  // A refresh asked for after `global_checkpoint` was read on `node` has succeeded.
  void OnRefreshed(absl::string_view node, int64_t global_checkpoint, absl::Duration now);

  // Every live document numbered up to this is seen by a search issued now. -1: nothing is certain.
  int64_t visible_to() const { return visible_to_; }

  // When the count of refreshes last moved.
  absl::Duration last_refresh() const { return last_refresh_; }

 private:
  struct Reading {
    int64_t refreshes;
    int64_t global_checkpoint;
  };

  std::string node_;
  int64_t refreshes_ = -1;
  std::deque<Reading> readings_;  // not yet proved: at most kRefreshesForProof
  int64_t visible_to_ = -1;
  absl::Duration last_refresh_;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_TAIL_VISIBILITY_H_
