#include "services/analytics_engine/config.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/common/analytics_api/engine_key.h"
#include "services/common/http/url.h"
#include "services/common/rpc/security_config.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::analytics_engine {
namespace {

absl::Status SecureApi(const config::Config& from, EngineConfig* config) {
  const std::string& listen = from.analytics_engine.listen;
  ASSIGN_OR_RETURN(config->api.listen, runtime::ParseListenAddress(listen));
  const config::SecurityConfig& security = from.security;
  const bool loopback = http::IsLoopback(absl::StrCat("http://", listen));
  if (!loopback && !security.certificate_file.empty() && !security.key_file.empty()) {
    config->api.certificate_file = security.certificate_file;
    config->api.key_file = security.key_file;
    return absl::OkStatus();
  }
  if (!loopback && security.plaintext_networks.empty()) {
    return ConfigError(absl::StrCat(
        from.path, ": analytics_engine.listen ", listen,
        " is not on loopback, where API keys and telemetry must not go in plain text. Set "
        "security.ca_file, certificate_file and key_file, or name the networks that may use it in "
        "plain text in security.plaintext_networks"));
  }
  network::CidrSet peers;
  RETURN_IF_ERROR(peers.Add("127.0.0.0/8"));
  RETURN_IF_ERROR(peers.Add("::1"));
  for (const std::string& network : security.plaintext_networks) {
    if (const absl::Status added = peers.Add(network); !added.ok()) {
      return ConfigError(
          absl::StrCat(from.path, ": security.plaintext_networks: ", added.message()));
    }
  }
  config->api_peers = std::move(peers);
  return absl::OkStatus();
}

// What is wrong with the text of a key; empty when nothing is.
std::string KeyProblem(const std::string& text) {
  if (text.size() < kKeyTextBytesMin || text.size() > kKeyTextBytesMax) {
    return absl::StrCat("has ", text.size(), " characters; ", kKeyTextBytesMin, " to ",
                        kKeyTextBytesMax, " are wanted (openssl rand -base64 32 makes a good one)");
  }
  for (const char c : text) {
    if (!absl::ascii_isgraph(c) || c == ':') {
      return "has a character that API keys cannot have: a space, a colon or one beyond ASCII";
    }
  }
  return "";
}

uint32_t ScopesOf(const std::vector<std::string>& names) {
  uint32_t scopes = kNoScope;
  for (const std::string& name : names) {
    scopes |= name == "ingest" ? kIngestScope : name == "alerts" ? kAlertsScope : kAdminScope;
  }
  return scopes;
}

}  // namespace

absl::StatusOr<std::vector<ConfiguredKey>> ConfiguredKeys(const config::Config& from) {
  std::vector<ConfiguredKey> keys;
  for (const config::ApiKeyConfig& key : from.analytics_engine.api_keys) {
    std::string problem = KeyProblem(key.key.reveal());
    for (const ConfiguredKey& earlier : keys) {
      if (earlier.text.reveal() == key.key.reveal()) problem = "is also that of " + earlier.name;
    }
    if (!problem.empty()) {
      return ConfigError(absl::StrCat(from.path, ":", key.line, ": analytics_engine.api_keys: ",
                                      "the key of ", key.name, " ", problem));
    }
    keys.push_back({key.name, key.key, ScopesOf(key.scopes)});
  }
  return keys;
}

absl::StatusOr<EngineConfig> FromConfig(const config::Config& from) {
  EngineConfig config;
  config.folder = from.data.dir + "/analytics_engine";
  config.database = from.analytics_engine.database;
  if (config.database.empty()) config.database = config.folder + "/engine.db";
  RETURN_IF_ERROR(SecureApi(from, &config));
  ASSIGN_OR_RETURN(config.api_keys, ConfiguredKeys(from));
  if (from.engine.local) config.local_key = analytics_api::LocalEngineKeyPath(from);
  for (const config::ListConfig& list : from.scoring.lists) {
    config.lists.push_back({list.name, list.file, list.points});
  }
  config.bad_tlds = from.scoring.bad_tlds;
  config.security = rpc::FromConfig(from.security);
  return config;
}

}  // namespace nightjar::analytics_engine
