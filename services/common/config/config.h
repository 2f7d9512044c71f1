// config.yml: everything that can be set, with its default. A superset of NFR's file.
//
// Every binary reads the same file. Unknown keys anywhere are errors that name the key, its line
// and the nearest known one. A key without a value keeps its default. Any scalar may be
// ${env:NAME} or ${file:/path}; those of `inputs.elastic`, `engine` (but host and kind) and the
// keys in `analytics_engine.api_keys` are resolved only by the binaries that use them, so that each
// needs only its own secrets; a stage looks every 2 s at the files that it read so, and takes
// secrets from changed ones without a restart. Where a list is wanted, a single value will do.
// Comments below name the allowed range where it is not plain.
#ifndef SERVICES_COMMON_CONFIG_CONFIG_H_
#define SERVICES_COMMON_CONFIG_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/common/config/file_stamp.h"
#include "services/common/config/secret.h"

namespace nightjar::config {

enum class EventType { kDns, kIp, kHttp, kTls };
enum class EngineKind { kAlphaSoc, kNightjar };

struct EngineConfig {  // engine
  // URLs; the others are standbys. https, or http on loopback; http elsewhere is refused without
  // allow_plaintext.
  std::vector<std::string> hosts = {"https://api.alphasoc.net"};
  bool allow_plaintext = false;  // the key and all telemetry may go unencrypted; warned, a metric
  bool local = false;            // host: local, the embedded engine
  Secret api_key;
  EngineKind kind = EngineKind::kAlphaSoc;  // kind: alphasoc, nightjar; local: nightjar
  std::string ca_file;
  bool insecure_skip_verify = false;
  std::string proxy;
  std::map<EventType, bool> analyze;  // analyze.dns, ip, http: absent = true
  // alerts.poll_interval, at least 5 s; 5 s by default for a local engine.
  absl::Duration alerts_poll_interval = absl::Minutes(5);
};

struct SearchConfig {  // inputs.elastic.searches[]
  EventType event_type = EventType::kDns;
  std::vector<std::string> indices;  // wildcards allowed
  std::string index_schema;          // "", ecs, corelight
  std::vector<std::string> must_have_fields;
  std::string search_term;  // JSON
  std::map<std::string, std::string> field_names;
  int line = 0;  // where it stands, for messages
};

struct ElasticConfig {  // inputs.elastic
  bool enabled = false;
  std::string cloud_id;  // xor hosts
  // As engine.hosts: http off loopback only with allow_plaintext, for networks that are private by
  // other means (one host's containers, a pod network with encryption, a tunnel).
  std::vector<std::string> hosts;
  bool allow_plaintext = false;  // the password and all telemetry may go unencrypted
  Secret api_key;                // xor username and password; "id:key" or base64 of it
  std::string username;
  Secret password;
  std::string ca_file;
  std::string ca_fingerprint;  // SHA-256 of a certificate of the chain: 64 hex digits
  bool insecure_skip_verify = false;
  std::string proxy;
  std::vector<SearchConfig> searches;
};

struct ReaderConfig {                               // reader
  absl::Duration poll_interval = absl::Seconds(1);  // 10 ms to 1 h
  std::string start = "24h";                        // earliest, latest, a duration back, RFC 3339
  std::string site;
  uint64_t max_docs_per_second = 0;     // 0: no limit
  int searches_in_flight_max = 4;       // 1 to 16
  uint64_t fetch_bytes_max = 64 << 20;  // 1 MiB to 64 GiB
};

struct ScopeConfig {  // scope
  std::string file;   // empty: the built-in default group
};

struct FlowsConfig {  // flows
  enum class Emit { kDefault, kFinal, kFinalAndLong, kAll };
  Emit emit = Emit::kDefault;  // final | final_and_long | all; default by engine kind
  absl::Duration period = absl::Seconds(10);  // between a sensor's reports of one flow
};

struct PrivacyConfig {  // privacy
  bool redact_url = true;
  std::vector<std::string> secret_parameters = {"password",     "passwd",  "pwd",    "token",
                                                "access_token", "api_key", "apikey", "secret",
                                                "session",      "sid",     "code",   "auth"};
};

struct ListConfig {      // scoring.lists[]
  std::string name;      // becomes the signal list:<name>
  std::string file;      // one domain, *.domain, address or CIDR a line; # comments
  uint32_t points = 60;  // 1 to 100
  int line = 0;
};

struct ScoringConfig {  // scoring
  std::vector<ListConfig> lists;
  std::vector<std::string> bad_tlds;  // empty: the built-in list
  uint32_t threshold = 0;  // 0 to 100; events scored lower end as filtered(below_threshold)
};

struct ForwarderConfig {                                  // forwarder
  int posts_in_flight_max = 4;                            // 1 to 64
  uint32_t body_events_max = 5000;                        // 1 to 50,000
  uint64_t body_bytes_max = 4 << 20;                      // 64 KiB to 8 MiB, before gzip
  absl::Duration body_wait_max = absl::Milliseconds(50);  // 0 to 10 s
  absl::Duration post_timeout = absl::Seconds(60);        // 100 ms to 10 min
  std::optional<bool> gzip;                               // unset: on, except on loopback
  uint64_t quarantine_bytes_max = 64 << 20;               // 1 KiB to 1 TiB
};

struct ServiceConfig {                 // services.<folder>
  std::vector<std::string> addresses;  // address: where clients find it; a list, or "a:1,b:2"
};

struct ServicesConfig {  // services
  ServiceConfig es_reader{{"127.0.0.1:7401"}};
  ServiceConfig scorer{{"127.0.0.1:7402"}};
  ServiceConfig ae_forwarder{{"127.0.0.1:7403"}};
  ServiceConfig alert_poller{{"127.0.0.1:7404"}};
  ServiceConfig analytics_engine{{"127.0.0.1:7405"}};
};

struct SecurityConfig {  // security, see rpc/security.h
  std::string ca_file, certificate_file, key_file;
  std::vector<std::string> flow_peers, view_peers, tap_peers, operate_peers, plaintext_networks;
};

struct OutputsConfig {  // outputs (NFR)
  bool enabled = true;
  std::string file = "stderr";  // stdout, stderr or a path
  std::string format = "json";  // json, cef
  std::string syslog_ip;
  int syslog_port = 514;
  std::string syslog_proto = "tcp";  // tcp, udp
  std::string syslog_format = "json";
  std::string graylog_uri;
  int graylog_level = 1;
};

struct ApiKeyConfig {               // analytics_engine.api_keys[]
  std::string name;                 // 1 to 64 of lower case letters, digits, _ and -
  Secret key;                       // 24 to 256 characters; analytics-engine checks them
  std::vector<std::string> scopes;  // ingest, alerts, admin; at least one
  int line = 0;
};

struct AnalyticsEngineConfig {  // analytics_engine
  std::string listen = "127.0.0.1:7480";
  std::string database;                // empty: <data.dir>/analytics_engine/engine.db
  std::vector<ApiKeyConfig> api_keys;  // keys of clients; at most 100
};

struct LogConfig {              // log
  std::string file = "stdout";  // stdout, stderr or a path
  std::string level = "info";   // debug, info, warn, error
};

struct DataConfig {                       // data
  std::string dir = "/var/lib/nightjar";  // state lives in <dir>/<service folder>/
  std::string file;                       // NFR's alert bookmark, imported once
};

struct Config {
  std::string path;  // the file it came from
  EngineConfig engine;
  ElasticConfig elastic;
  ReaderConfig reader;
  ScopeConfig scope;
  FlowsConfig flows;
  PrivacyConfig privacy;
  ScoringConfig scoring;
  ForwarderConfig forwarder;
  ServicesConfig services;
  SecurityConfig security;
  OutputsConfig outputs;
  AnalyticsEngineConfig analytics_engine;
  LogConfig log;
  DataConfig data;
  // Things worth saying once at start: accepted keys without a meaning here, state under /run,
  // plain text to another host ...
  std::vector<std::string> warnings;
  // The files that references named, as they looked before they were read (reload/reload.h).
  std::vector<FileStamp> files;
};

// The guarded sections whose ${...} references are resolved: a set of bits. Without its bit, a text
// that is a reference keeps its default and a secret reads as set.
enum Sections : unsigned {
  kElastic = 1,
  kEngine = 2,
  kApiKeys = 4,  // analytics_engine.api_keys[].key
  kAll = ~0u,
};

// Errors carry exit code 78 and name file, line, key, the value got and what is allowed.
absl::StatusOr<Config> Load(const std::string& path, unsigned sections);

// The same for text that was read already; `file` is its name in messages.
absl::StatusOr<Config> LoadText(absl::string_view text, const std::string& file, unsigned sections);

// The effective configuration as YAML: defaults filled in, secrets masked (also in proxy URLs).
// Load reads it back.
std::string Dump(const Config& config);

}  // namespace nightjar::config

#endif  // SERVICES_COMMON_CONFIG_CONFIG_H_
