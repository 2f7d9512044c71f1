#include "services/ae_forwarder/config.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/analytics_api/engine_key.h"
#include "services/common/http/ca_file.h"
#include "services/common/http/url.h"
#include "services/common/rpc/security_config.h"
#include "services/common/runtime/main.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::ae_forwarder {
namespace {

constexpr int kPostsInFlightMax = 16;
constexpr int64_t kBodyBytesMax = 9 << 20;  // API v1 takes 10 MB
constexpr int64_t kBodyEventsMax = 50'000;

absl::Status Validate(const config::Config& from) {
  if (from.engine.hosts.empty()) return ConfigError(from.path + ": engine.host: no host");
  for (const std::string& host : from.engine.hosts) {
    if (const auto url = http::ParseUrl(host); !url.ok()) {
      return ConfigError(absl::StrCat(from.path, ": engine.host: ", url.status().message()));
    }
  }
  const config::ForwarderConfig& forwarder = from.forwarder;
  const auto check = [&](absl::string_view key, int64_t value, int64_t max) {
    if (value >= 1 && value <= max) return absl::OkStatus();
    return ConfigError(
        absl::StrCat(from.path, ": forwarder.", key, ": ", value, " is not between 1 and ", max));
  };
  RETURN_IF_ERROR(check("posts_in_flight_max", forwarder.posts_in_flight_max, kPostsInFlightMax));
  RETURN_IF_ERROR(check("body_events_max", forwarder.body_events_max, kBodyEventsMax));
  return check("body_bytes_max", static_cast<int64_t>(forwarder.body_bytes_max), kBodyBytesMax);
}

analytics_api::EngineClientOptions EngineOptions(const config::Config& from) {
  analytics_api::EngineClientOptions engine;
  engine.hosts = from.engine.hosts;
  for (std::string& host : engine.hosts) {
    while (!host.empty() && host.back() == '/') host.pop_back();
  }
  engine.endpoint.user_agent = absl::StrCat("nightjar/", runtime::Version());
  engine.endpoint.ca_file = from.engine.ca_file;
  engine.endpoint.insecure_skip_verify = from.engine.insecure_skip_verify;
  engine.endpoint.proxy = from.engine.proxy;
  // On the same machine compression costs more than it saves.
  const bool local = std::all_of(engine.hosts.begin(), engine.hosts.end(),
                                 [](const std::string& host) { return http::IsLoopback(host); });
  engine.gzip = from.forwarder.gzip.value_or(!local);
  engine.timeout = from.forwarder.post_timeout;
  return engine;
}

}  // namespace

absl::StatusOr<ForwarderConfig> FromConfig(const config::Config& from) {
  RETURN_IF_ERROR(Validate(from));
  RETURN_IF_ERROR(http::CheckCaFile("engine.ca_file", from.engine.ca_file));
  ForwarderConfig config;
  config.options.engine = EngineOptions(from);
  ASSIGN_OR_RETURN(config.options.engine.api_key, analytics_api::EngineKey(from));
  const bool own = from.engine.kind == config::EngineKind::kNightjar;
  config.options.dialect =
      own ? analytics_api::Dialect::kNightjar : analytics_api::Dialect::kAlphaSoc;
  config.options.body = {from.forwarder.body_events_max, from.forwarder.body_bytes_max};
  config.options.body_wait_max = from.forwarder.body_wait_max;
  config.options.read_api_key = [path = from.path]() -> absl::StatusOr<config::Secret> {
    ASSIGN_OR_RETURN(const config::Config file, config::Load(path, config::kEngine));
    return analytics_api::EngineKey(file);
  };
  config.options.posts_in_flight_max = from.forwarder.posts_in_flight_max;
  config.state = {from.data.dir + "/ae_forwarder", from.forwarder.quarantine_bytes_max};
  config.security = rpc::FromConfig(from.security);
  config.destination =
      absl::StrCat("events go to ", absl::StrJoin(config.options.engine.hosts, ", "), " (kind ",
                   own ? "nightjar" : "alphasoc", ", ",
                   config.options.engine.gzip ? "compressed" : "not compressed",
                   from.privacy.redact_url ? ", secrets in URLs are masked)"
                                           : ", secrets in URLs are NOT masked)");
  return config;
}

}  // namespace nightjar::ae_forwarder
