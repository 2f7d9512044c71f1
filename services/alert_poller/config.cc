#include "services/alert_poller/config.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "services/common/analytics_api/engine_key.h"
#include "services/common/config/small_file.h"
#include "services/common/http/ca_file.h"
#include "services/common/http/url.h"
#include "services/common/rpc/security_config.h"
#include "services/common/runtime/main.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::alert_poller {
namespace {

using Protocol = SocketAddress::Protocol;

SinkConfig::Format FormatOf(const std::string& name) {
  return name == "cef" ? SinkConfig::Format::kCef : SinkConfig::Format::kJson;
}

// "tcp://host:port" or "udp://[address]:port", as the configuration has checked it.
absl::StatusOr<SocketAddress> AddressOf(absl::string_view uri) {
  SocketAddress address;
  absl::string_view rest = uri;
  address.protocol = absl::ConsumePrefix(&rest, "udp://") ? Protocol::kUdp : Protocol::kTcp;
  absl::ConsumePrefix(&rest, "tcp://");
  const size_t colon = rest.rfind(':');
  if (colon == absl::string_view::npos ||
      !absl::SimpleAtoi(rest.substr(colon + 1), &address.port) || address.port < 1 ||
      address.port > 65535) {
    return ConfigError(absl::StrCat("outputs.graylog.uri: ", uri, " has no port from 1 to 65535"));
  }
  absl::string_view host = rest.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  address.host = std::string(host);
  if (host.empty()) return ConfigError(absl::StrCat("outputs.graylog.uri: ", uri, ": no host"));
  return address;
}

absl::StatusOr<std::vector<SinkConfig>> SinksOf(const config::OutputsConfig& outputs) {
  std::vector<SinkConfig> sinks;
  if (!outputs.file.empty()) {
    sinks.emplace_back();
    sinks.back().name = "file";
    sinks.back().kind = SinkConfig::Kind::kFile;
    sinks.back().format = FormatOf(outputs.format);
    sinks.back().path = outputs.file;
  }
  if (!outputs.graylog_uri.empty()) {
    sinks.emplace_back();
    sinks.back().name = "graylog";
    sinks.back().kind = SinkConfig::Kind::kGraylog;
    sinks.back().level = outputs.graylog_level;
    ASSIGN_OR_RETURN(sinks.back().address, AddressOf(outputs.graylog_uri));
  }
  if (!outputs.syslog_ip.empty()) {
    sinks.emplace_back();
    sinks.back().name = "syslog";
    sinks.back().kind = SinkConfig::Kind::kSyslog;
    sinks.back().format = FormatOf(outputs.syslog_format);
    sinks.back().address = {outputs.syslog_ip, outputs.syslog_port,
                            outputs.syslog_proto == "udp" ? Protocol::kUdp : Protocol::kTcp};
  }
  if (sinks.empty()) {
    return ConfigError(
        "outputs: nowhere to deliver alerts to; set outputs.file, outputs.syslog.ip or "
        "outputs.graylog.uri, or outputs.enabled: false");
  }
  return sinks;
}

absl::StatusOr<analytics_api::EngineClientOptions> EngineOptions(const config::Config& from) {
  analytics_api::EngineClientOptions engine;
  engine.hosts = from.engine.hosts;
  if (engine.hosts.empty()) return ConfigError(from.path + ": engine.host: no host");
  for (std::string& host : engine.hosts) {
    if (const auto url = http::ParseUrl(host); !url.ok()) {
      return ConfigError(absl::StrCat(from.path, ": engine.host: ", url.status().message()));
    }
    while (!host.empty() && host.back() == '/') host.pop_back();
    engine.endpoint.accept_gzip = engine.endpoint.accept_gzip || !http::IsLoopback(host);
  }
  engine.endpoint.user_agent = absl::StrCat("nightjar/", runtime::Version());
  RETURN_IF_ERROR(http::CheckCaFile("engine.ca_file", from.engine.ca_file));
  engine.endpoint.ca_file = from.engine.ca_file;
  engine.endpoint.insecure_skip_verify = from.engine.insecure_skip_verify;
  engine.endpoint.proxy = from.engine.proxy;
  ASSIGN_OR_RETURN(engine.api_key, analytics_api::EngineKey(from));
  return engine;
}

std::string Where(const SinkConfig& sink) {
  return sink.kind == SinkConfig::Kind::kFile ? sink.path : sink.address.ToString();
}

}  // namespace

absl::StatusOr<PollerConfig> FromConfig(const config::Config& from) {
  PollerConfig config;
  config.enabled = from.outputs.enabled;
  config.state_folder = from.data.dir + "/alert_poller";
  config.scope_file = from.scope.file;
  config.bookmark_file = from.data.file;
  config.security = rpc::FromConfig(from.security);
  config.destination = "outputs.enabled is false: alerts are neither fetched nor delivered here";
  if (!config.enabled) return config;
  ASSIGN_OR_RETURN(config.sinks, SinksOf(from.outputs));
  ASSIGN_OR_RETURN(config.poller.engine, EngineOptions(from));
  config.poller.poll_interval = from.engine.alerts_poll_interval;
  config.poller.read_api_key = [path = from.path]() -> absl::StatusOr<config::Secret> {
    ASSIGN_OR_RETURN(const config::Config file, config::Load(path, config::kEngine));
    return analytics_api::EngineKey(file);
  };
  const auto append_where = [](std::string* out, const SinkConfig& sink) {
    out->append(Where(sink));
  };
  config.destination =
      absl::StrCat("alerts come from ", absl::StrJoin(config.poller.engine.hosts, ", "), " every ",
                   absl::FormatDuration(config.poller.poll_interval), " and go to ",
                   absl::StrJoin(config.sinks, ", ", append_where));
  return config;
}

absl::StatusOr<std::vector<scope::Group>> GroupsOf(const PollerConfig& config) {
  if (config.scope_file.empty()) return scope::DefaultGroups();
  return scope::LoadGroups(config.scope_file);
}

absl::StatusOr<std::string> NfrBookmark(const std::string& bookmark_file) {
  if (bookmark_file.empty() || access(bookmark_file.c_str(), F_OK) != 0) return "";
  ASSIGN_OR_RETURN(const std::string text,
                   config::ReadSmallFile(bookmark_file, analytics_api::kFollowBytesMax));
  return std::string(absl::StripAsciiWhitespace(text));
}

}  // namespace nightjar::alert_poller
