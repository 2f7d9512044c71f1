// What the reader knows about indices and shards of Elasticsearch, and what it asks of them. Plain
// values.
#ifndef SERVICES_ES_READER_ELASTIC_TYPES_H_
#define SERVICES_ES_READER_ELASTIC_TYPES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace nightjar::es_reader {

// A concrete index, from its settings.
struct IndexInfo {
  std::string name;
  std::string uuid;
  // Number of primary shards: every one of 0 .. shards - 1 must be in the statistics.
  int shards = 0;
  // Unset: not configured (the server's default of 1 s, with pauses when nobody searches).
  // Negative: refresh is off.
  std::optional<absl::Duration> refresh_interval;
  absl::Time created;
  // UUID of the index this one was shrunk, split or cloned from; its name where there is no UUID.
  // Empty: an ordinary index. Sequence numbers may repeat inside a shard of a resized one.
  std::string resize_source;
  bool closed = false;
  bool hidden = false;
};

// The started primary copy of one shard, from _stats. A shard without one is not in the list at
// all.
struct ShardStats {
  std::string index;
  std::string index_uuid;
  int shard = 0;
  std::string history_uuid;
  // Id of the node that holds this copy.
  std::string node;
  int64_t max_seq_no = -1;
  // Nothing at or below it is ever rolled back or renumbered. -1: empty shard.
  int64_t global_checkpoint = -1;
  // Counts refreshes that made documents visible to searches.
  uint64_t external_refresh_total = 0;
  uint64_t docs = 0;
  uint64_t store_bytes = 0;

  // "<index uuid>/<shard>/<history uuid>": what a sequence number is relative to.
  std::string epoch() const {
    return index_uuid + "/" + std::to_string(shard) + "/" + history_uuid;
  }
};

// A user's own query (NFR's search_term), put into every search as a named clause.
struct SearchFilter {
  // Position of the search in the configuration, as text. Comes back in matched_queries.
  std::string name;
  // JSON of one query clause. Empty: this search has no term, everything matches.
  std::string clause;
};

// One bounded search: the documents of one shard copy whose numbers are in (from, to], or exactly
// `seq_nos`.
struct WindowQuery {
  std::string index;
  int shard = 0;
  // Node id to ask (the primary's).
  std::string node;
  int64_t from = -1;
  int64_t to = -1;
  // Not empty: ask for these numbers only; all lie in (from, to].
  std::vector<int64_t> seq_nos;
  // At most this many hits, 1 to 10,000.
  int size = 1000;
  // False: ask for ids and numbers only. For a single document that is too large to be fetched: the
  // page decoder then reports it as quarantined(document_too_large).
  bool with_source = true;
  // Not empty: only documents that one of these matches; whether the window is dense must then be
  // asked with Count().
  std::vector<SearchFilter> filters;
};

struct RefreshResult {
  // Shard copies. Holes are proved only if every primary took part; a dead one is missing from
  // `successful` while `failed` stays 0, so compare with what the settings promise.
  int total = 0;
  int successful = 0;
  int failed = 0;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_ELASTIC_TYPES_H_
