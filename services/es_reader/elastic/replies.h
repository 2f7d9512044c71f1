// Reading the small replies: settings, statistics, counts. Pure functions over JSON text.
#ifndef SERVICES_ES_READER_ELASTIC_REPLIES_H_
#define SERVICES_ES_READER_ELASTIC_REPLIES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/es_reader/elastic/types.h"

namespace nightjar::es_reader {

// kUnavailable when the text is not the reply that was asked for. Nightjar's own indices are left
// out.
absl::StatusOr<std::vector<IndexInfo>> ParseSettings(absl::string_view json);
absl::StatusOr<std::vector<ShardStats>> ParseStats(absl::string_view json);
absl::StatusOr<RefreshResult> ParseRefresh(absl::string_view json);

// Of searches on one shard: kUnavailable unless exactly that shard answered in full.
absl::StatusOr<int64_t> ParseCount(absl::string_view json);
absl::StatusOr<std::optional<int64_t>> ParseFirstSeqNo(absl::string_view json);

// "30s", "500ms", "1d", "-1" (negative: off). nullopt: not a time value of Elasticsearch.
std::optional<absl::Duration> ParseTimeValue(absl::string_view text);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_ELASTIC_REPLIES_H_
