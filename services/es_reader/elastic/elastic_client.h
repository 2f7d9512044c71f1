// The few calls to Elasticsearch or OpenSearch that the reader needs.
//
// Errors, in one line that names URL, HTTP status, error type and reason (never a secret):
// kUnauthenticated    401: wrong password or key
// kPermissionDenied   403: a privilege is missing; the message names the action
// kUnavailable        no connection, host unknown, 5xx, an answer that is not JSON, partial answers
// kDeadlineExceeded   timed out
// kNotFound           no such index (yet, or any more)
// kFailedPrecondition the index is closed
// kAborted            the shard has moved: read Stats() again
// kResourceExhausted  429, a circuit breaker, or a reply above the limit; see also RetryAfter()
// kInvalidArgument    the server does not take the request
#ifndef SERVICES_ES_READER_ELASTIC_ELASTIC_CLIENT_H_
#define SERVICES_ES_READER_ELASTIC_ELASTIC_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/common/config/secret.h"
#include "services/common/http/http_client.h"
#include "services/es_reader/elastic/elastic_options.h"
#include "services/es_reader/elastic/errors.h"
#include "services/es_reader/elastic/node_pool.h"
#include "services/es_reader/elastic/types.h"

namespace nightjar::es_reader {

// A page of more bytes is kResourceExhausted: ask for fewer numbers.
inline constexpr size_t kPageBytesMax = 8 << 20;

// One connection: one call at a time, one client per thread. `pool` is shared and outlives it. No
// call retries; a call that found its node dead has told the pool, so that the next one asks
// another.
class ElasticClient {
 public:
  ElasticClient(NodePool& pool, const ElasticOptions& options);

  // The concrete indices that `patterns` (names, wildcards, aliases, data streams) mean now, sorted
  // by name. Closed ones are reported as such; Nightjar's own (nightjar-*) never. kNotFound:
  // nothing matches.
  absl::StatusOr<std::vector<IndexInfo>> Resolve(const std::vector<std::string>& patterns);

  // Every shard of the open indices of `patterns` that has a started primary, sorted by index and
  // shard. Elasticsearch 8 also lists closed indices that are named outright: Resolve() tells.
  absl::StatusOr<std::vector<ShardStats>> Stats(const std::vector<std::string>& patterns);

  // One page for PageDecoder::Decode, which judges its content. OK only for HTTP 200.
  absl::Status Search(const WindowQuery& query, http::Response* response);

  // How many live documents the window holds without the filters (with `seq_nos`: of those
  // numbers).
  absl::StatusOr<int64_t> Count(const WindowQuery& query);

  // Makes everything written so far visible to searches of `index`.
  absl::StatusOr<RefreshResult> Refresh(const std::string& index);

  // Lowest number among the visible documents of this copy whose @timestamp is `since` or later, or
  // absent. nullopt: there is none.
  absl::StatusOr<std::optional<int64_t>> FirstSeqNoSince(const std::string& index, int shard,
                                                         const std::string& node, absl::Time since);

  // Who asks, from the next call on. From any thread.
  void SetAuthorization(const config::Secret& authorization);

  // Ends a call in progress and every later one (kCancelled). From any thread.
  void Cancel() { http_.Cancel(); }

 private:
  absl::Status Send(const std::string& method, const std::string& path, const std::string& body,
                    size_t response_bytes_max, http::Response* response);

  // Puts the request before the message of a failure to understand its answer.
  template <typename T>
  absl::StatusOr<T> Named(absl::StatusOr<T> parsed) const;

  NodePool& pool_;
  std::mutex mutex_;
  config::Secret authorization_;  // value of the header; guarded by mutex_
  http::HttpClient http_;
  http::Response reply_;  // of everything but Search
  std::string what_;      // method and URL of the last request
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_ELASTIC_ELASTIC_CLIENT_H_
