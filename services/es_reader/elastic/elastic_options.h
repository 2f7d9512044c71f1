// Where the cluster is and how to log in, from the configuration.
#ifndef SERVICES_ES_READER_ELASTIC_ELASTIC_OPTIONS_H_
#define SERVICES_ES_READER_ELASTIC_ELASTIC_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/config/config.h"
#include "services/common/config/secret.h"
#include "services/common/http/http_client.h"
#include "services/es_reader/elastic/types.h"

namespace nightjar::es_reader {

struct ElasticOptions {
  // Base URLs without a final slash, e.g. "https://es.example:9200" or "https://proxy.example/es".
  std::vector<std::string> hosts;
  http::Endpoint endpoint;
};

// Exit code 78 (ConfigError) when the Cloud ID cannot be decoded, a host is not an http(s) URL or
// ca_file holds no certificate.
absl::StatusOr<ElasticOptions> FromConfig(const config::ElasticConfig& config);

// The value of the Authorization header: by API key, or by user and password; empty: none.
config::Secret Authorization(const config::ElasticConfig& config);

// "https://<es uuid>.<host>:<port>" of "name:base64(host[:port]$es_uuid[$kibana_uuid])".
absl::StatusOr<std::string> DecodeCloudId(absl::string_view cloud_id);

// The index patterns of all searches, each once, in the order of the file.
std::vector<std::string> IndexPatterns(const config::ElasticConfig& config);

// WindowQuery.filters for these searches: empty if none has a search_term, else one for each
// search.
std::vector<SearchFilter> FiltersFromConfig(const config::ElasticConfig& config);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_ELASTIC_ELASTIC_OPTIONS_H_
