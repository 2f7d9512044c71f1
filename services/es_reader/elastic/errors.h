// What an answer of Elasticsearch, OpenSearch or a proxy before it means: one function decides.
#ifndef SERVICES_ES_READER_ELASTIC_ERRORS_H_
#define SERVICES_ES_READER_ELASTIC_ERRORS_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/common/http/http_client.h"

namespace nightjar::es_reader {

// OK for a 2xx with JSON in it, else the codes of elastic_client.h. `what` is "POST
// http://host:9200/index/_search".
absl::Status StatusFromReply(absl::string_view what, const http::Response& response);

// The Retry-After header of the answer that `status` was made from.
std::optional<absl::Duration> RetryAfter(const absl::Status& status);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_ELASTIC_ERRORS_H_
