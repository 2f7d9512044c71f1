#include "services/es_reader/elastic/elastic_options.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/common/http/ca_file.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::es_reader {
namespace {

absl::Status BadHost(absl::string_view host, absl::string_view problem) {
  return ConfigError(absl::StrCat("inputs.elastic.hosts: \"", host, "\" ", problem,
                                  " (example: https://es.example:9200)"));
}

// With a scheme and without final slashes.
absl::StatusOr<std::string> BaseUrl(absl::string_view host) {
  std::string url =
      absl::StrContains(host, "://") ? std::string(host) : absl::StrCat("http://", host);
  if (!absl::StartsWith(url, "http://") && !absl::StartsWith(url, "https://")) {
    return BadHost(host, "is not an http or https URL");
  }
  const size_t authority = url.find("//") + 2;
  if (absl::StrContains(url, '@')) {
    return ConfigError(
        "inputs.elastic.hosts: a user in the URL is not taken; set username and password");
  }
  if (url.find_first_of("?#") != std::string::npos) return BadHost(host, "has a query");
  while (absl::EndsWith(url, "/")) url.pop_back();
  if (url.size() <= authority) return BadHost(host, "has no host");
  return url;
}

}  // namespace

config::Secret Authorization(const config::ElasticConfig& config) {
  const std::string& key = config.api_key.reveal();
  if (!key.empty()) {
    // The key may be given as id:key or as base64 of it, and base64 has no colon.
    return config::Secret("ApiKey " +
                          (absl::StrContains(key, ':') ? absl::Base64Escape(key) : key));
  }
  if (config.username.empty()) return config::Secret();
  const config::Secret login(config.username + ":" + config.password.reveal());
  const config::Secret encoded(absl::Base64Escape(login.reveal()));
  return config::Secret("Basic " + encoded.reveal());
}

absl::StatusOr<std::string> DecodeCloudId(absl::string_view cloud_id) {
  const absl::Status bad = ConfigError(
      "inputs.elastic.cloud_id: not of the form name:base64 that the cloud console shows");
  std::string decoded;
  const size_t colon = cloud_id.rfind(':');
  const absl::string_view encoded =
      colon == absl::string_view::npos ? cloud_id : cloud_id.substr(colon + 1);
  if (!absl::Base64Unescape(encoded, &decoded)) return bad;
  const std::vector<std::string> parts = absl::StrSplit(decoded, '$');
  if (parts.size() < 2 || parts[0].empty() || parts[1].empty()) return bad;
  const std::vector<std::string> address = absl::StrSplit(parts[0], absl::MaxSplits(':', 1));
  const std::string port = address.size() == 2 ? address[1] : "443";
  return absl::StrCat("https://", parts[1], ".", address[0], ":", port);
}

absl::StatusOr<ElasticOptions> FromConfig(const config::ElasticConfig& config) {
  ElasticOptions options;
  if (!config.cloud_id.empty()) {
    ASSIGN_OR_RETURN(std::string url, DecodeCloudId(config.cloud_id));
    options.hosts.push_back(std::move(url));
    options.endpoint.accept_gzip = true;  // never on the same network
  }
  for (const std::string& host : config.hosts) {
    ASSIGN_OR_RETURN(std::string url, BaseUrl(host));
    options.hosts.push_back(std::move(url));
  }
  if (options.hosts.empty()) {
    return ConfigError("inputs.elastic: hosts or cloud_id must say where Elasticsearch is");
  }
  http::Endpoint& endpoint = options.endpoint;
  endpoint.user_agent = "nightjar-es-reader";
  endpoint.authorization = Authorization(config);
  RETURN_IF_ERROR(http::CheckCaFile("inputs.elastic.ca_file", config.ca_file));
  endpoint.ca_file = config.ca_file;
  endpoint.ca_fingerprint_sha256 = config.ca_fingerprint;
  endpoint.insecure_skip_verify = config.insecure_skip_verify;
  endpoint.proxy = config.proxy;
  return options;
}

std::vector<std::string> IndexPatterns(const config::ElasticConfig& config) {
  std::vector<std::string> patterns;
  for (const config::SearchConfig& search : config.searches) {
    for (const std::string& pattern : search.indices) {
      if (std::find(patterns.begin(), patterns.end(), pattern) == patterns.end()) {
        patterns.push_back(pattern);
      }
    }
  }
  return patterns;
}

std::vector<SearchFilter> FiltersFromConfig(const config::ElasticConfig& config) {
  std::vector<SearchFilter> filters;
  bool any = false;
  for (const config::SearchConfig& search : config.searches) {
    filters.push_back({absl::StrCat(filters.size()), search.search_term});
    any = any || !search.search_term.empty();
  }
  if (!any) filters.clear();
  return filters;
}

}  // namespace nightjar::es_reader
