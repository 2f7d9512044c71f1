// inputs.elastic: where Elasticsearch is, who asks, and what is read.
#include <simdjson.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "services/common/config/endpoint.h"
#include "services/common/config/sections.h"

namespace nightjar::config {
namespace {

constexpr size_t kFingerprintDigits = 64;   // SHA-256 in hex
constexpr size_t kPatternsBytesMax = 4096;  // the server's limit for a request line
constexpr int64_t kBatchSizeMin = 1;        // documents
constexpr char kPatternForbidden[] = " \t\"\\/,|<>?#%";

std::vector<std::string> FieldNames(EventType type) {
  std::vector<std::string> names = {"timestamp", "event_ingested", "src_ip", "src_port"};
  std::vector<std::string> own;
  switch (type) {
    case EventType::kDns:
      own = {"query", "qtype"};
      break;
    case EventType::kIp:
      own = {"dest_ip", "dest_port", "proto", "bytes_in", "bytes_out"};
      break;
    case EventType::kHttp:
      // NFR's code says status_code, the comments of its file say status.
      own = {"url", "method", "status_code", "status", "user_agent", "content_type", "referrer"};
      break;
    case EventType::kTls:
      own = {"dest_ip",    "dest_port", "cert_hash", "issuer", "subject",
             "valid_from", "valid_to",  "ja3",       "ja3s"};
      break;
  }
  names.insert(names.end(), own.begin(), own.end());
  return names;
}

void BindFieldNames(Binder* search, SearchConfig* out) {
  for (auto& [name, field] : search->TextEntries("field_names", FieldNames(out->event_type))) {
    if (!out->field_names.emplace(name == "status" ? "status_code" : name, field).second) {
      search->Fail("field_names", "has both status and status_code, which mean the same");
    }
  }
}

void BindSearchTerm(Binder* search, std::string* out) {
  search->Text("search_term", out);
  if (out->empty()) return;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const auto error = parser.parse(*out).get(object);
  if (error == simdjson::SUCCESS) return;
  const char* why = error == simdjson::INCORRECT_TYPE ? "not an object" : "not valid JSON";
  search->Fail("search_term",
               absl::StrCat(why, " (example: '{\"term\": {\"event.dataset\": \"dns\"}}')"));
}

void BindIndices(Binder* search, std::vector<std::string>* out) {
  search->Texts("indices", out);
  for (const std::string& pattern : *out) {
    const bool starts_ok = !pattern.empty() && pattern[0] != '-' && pattern[0] != '_';
    if (!starts_ok || pattern.find_first_of(kPatternForbidden) != std::string::npos) {
      search->Fail("indices", absl::StrCat("\"", pattern,
                                           "\" is not an index pattern (example: packetbeat-*)"));
    }
  }
}

void BindSearch(Binder* search, bool enabled, SearchConfig* out) {
  out->line = search->line();
  search->Choice<EventType>("event_type",
                            {{"dns", EventType::kDns},
                             {"ip", EventType::kIp},
                             {"http", EventType::kHttp},
                             {"tls", EventType::kTls}},
                            &out->event_type);
  if (!search->Has("event_type")) search->Fail("event_type", "must be set: dns, ip, http or tls");
  BindIndices(search, &out->indices);
  if (enabled && !search->Has("indices")) search->Fail("indices", "must name at least one index");
  search->Choice("index_schema", {"ecs", "corelight"}, &out->index_schema);
  search->Texts("must_have_fields", &out->must_have_fields);
  BindSearchTerm(search, &out->search_term);
  BindFieldNames(search, out);
  search->IgnoredSeconds("poll_interval");
  search->IgnoredNumber("batch_size", kBatchSizeMin);
  search->IgnoredSeconds("pit_keep_alive");
  search->IgnoredText("timestamp_format");
  search->Done();
}

void BindAddress(Binder* elastic, ElasticConfig* out) {
  elastic->Text("cloud_id", &out->cloud_id);
  elastic->Texts("hosts", &out->hosts);
  for (const std::string& host : out->hosts) {
    const std::string problem = UrlProblem(host, {"http://", "https://"});
    if (!problem.empty()) elastic->Fail("hosts", problem);
  }
  elastic->Bool("allow_plaintext", &out->allow_plaintext);
  const std::string plain = PlainTextProblem(out->hosts);
  if (out->enabled && !out->allow_plaintext && !plain.empty()) elastic->Fail("hosts", plain);
  const bool has_cloud_id = elastic->Has("cloud_id");
  if (has_cloud_id && elastic->Has("hosts")) {
    elastic->Fail("cloud_id", "stands beside hosts; only one of them can be set");
  }
  if (out->enabled && !has_cloud_id && !elastic->Has("hosts")) {
    elastic->Fail("hosts", "must be set, or cloud_id (example: hosts: [http://localhost:9200])");
  }
}

void BindIdentity(Binder* elastic, ElasticConfig* out) {
  elastic->Hidden("api_key", &out->api_key);
  elastic->Text("username", &out->username);
  elastic->Hidden("password", &out->password);
  const bool has_user = elastic->Has("username");
  if (elastic->Has("api_key") && (has_user || elastic->Has("password"))) {
    elastic->Fail("api_key", "stands beside username or password; only one way can be set");
  }
  if (has_user != elastic->Has("password")) {
    elastic->Fail(has_user ? "username" : "password", "needs username and password together");
  }
}

void BindTransport(Binder* elastic, ElasticConfig* out) {
  elastic->Text("ca_file", &out->ca_file);
  elastic->Text("ca_fingerprint", &out->ca_fingerprint);
  out->ca_fingerprint =
      absl::AsciiStrToLower(absl::StrReplaceAll(out->ca_fingerprint, {{":", ""}}));
  const std::string& digits = out->ca_fingerprint;
  const bool hex = std::all_of(digits.begin(), digits.end(), absl::ascii_isxdigit);
  if (!digits.empty() && (!hex || digits.size() != kFingerprintDigits)) {
    elastic->Fail("ca_fingerprint", "must be a SHA-256 in hex: 64 digits, colons allowed");
  }
  elastic->Bool("insecure_skip_verify", &out->insecure_skip_verify);
  elastic->Text("proxy", &out->proxy);
  if (!out->proxy.empty()) {
    const std::string problem = ProxyProblem(out->proxy);
    if (!problem.empty()) elastic->Fail("proxy", problem);
  }
}

void CheckSearches(Binder* elastic, const ElasticConfig& config) {
  size_t bytes = 0;
  for (const SearchConfig& search : config.searches) {
    for (const std::string& pattern : search.indices) bytes += pattern.size() + 1;
  }
  if (bytes > kPatternsBytesMax) {
    elastic->Fail("searches", absl::StrCat("index patterns are ", bytes, " bytes long together, ",
                                           kPatternsBytesMax, " are allowed; use wildcards"));
  }
  if (config.enabled && config.searches.empty()) {
    elastic->Fail("searches", "needs at least one search with at least one index");
  }
}

}  // namespace

void BindElastic(Binder* inputs, bool resolve, ElasticConfig* out) {
  Binder elastic = inputs->Map("elastic", resolve);
  elastic.Bool("enabled", &out->enabled);
  BindAddress(&elastic, out);
  BindIdentity(&elastic, out);
  BindTransport(&elastic, out);
  for (Binder& search : elastic.Maps("searches")) {
    out->searches.emplace_back();
    BindSearch(&search, out->enabled, &out->searches.back());
  }
  CheckSearches(&elastic, *out);
  elastic.Done();
}

}  // namespace nightjar::config
