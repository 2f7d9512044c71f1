#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/common/config/endpoint.h"
#include "services/common/config/sections.h"

namespace nightjar::config {
namespace {

constexpr absl::Duration kAlertsPollIntervalMin = absl::Seconds(5);
constexpr absl::Duration kAlertsPollIntervalMax = absl::Hours(24);
constexpr int64_t kBufferSizeMin = 64;  // events
constexpr absl::Duration kFlushIntervalMin = absl::Seconds(5);

void BindAnalyze(Binder* engine, std::map<EventType, bool>* out) {
  Binder analyze = engine->Map("analyze");
  const std::pair<const char*, EventType> kTypes[] = {
      {"dns", EventType::kDns}, {"ip", EventType::kIp}, {"http", EventType::kHttp}};
  for (const auto& [key, type] : kTypes) {
    bool wanted = true;
    analyze.Bool(key, &wanted);
    if (analyze.Has(key)) (*out)[type] = wanted;
  }
  analyze.Done();
}

void BindEngineHosts(Binder* engine, EngineConfig* out) {
  engine->Texts("host", &out->hosts);
  if (out->hosts.empty()) {
    out->hosts = EngineConfig().hosts;
    return;
  }
  if (out->hosts == std::vector<std::string>{"local"}) {
    out->local = true;
    if (engine->Has("kind") && out->kind != EngineKind::kNightjar) {
      engine->Fail("kind", "must be nightjar, since engine.host is local");
    }
    out->kind = EngineKind::kNightjar;
    out->alerts_poll_interval = kAlertsPollIntervalMin;  // nobody's quota to spare
    return;
  }
  for (const std::string& host : out->hosts) {
    const std::string problem = UrlProblem(host, {"https://", "http://"});
    if (!problem.empty()) engine->Fail("host", absl::StrCat(problem, "; or local"));
  }
  const std::string plain = PlainTextProblem(out->hosts);
  if (!out->allow_plaintext && !plain.empty()) engine->Fail("host", plain);
}

}  // namespace

void BindEngine(Binder* root, bool resolve, EngineConfig* out) {
  // Every stage must know the engine's kind, so these are followed by all.
  Binder engine = root->Map("engine");
  engine.Choice<EngineKind>(
      "kind", {{"alphasoc", EngineKind::kAlphaSoc}, {"nightjar", EngineKind::kNightjar}},
      &out->kind);
  engine.Bool("allow_plaintext", &out->allow_plaintext);
  BindEngineHosts(&engine, out);
  engine.set_resolve(resolve);
  engine.Hidden("api_key", &out->api_key);
  engine.Text("ca_file", &out->ca_file);
  engine.Bool("insecure_skip_verify", &out->insecure_skip_verify);
  engine.Text("proxy", &out->proxy);
  if (!out->proxy.empty()) {
    const std::string problem = ProxyProblem(out->proxy);
    if (!problem.empty()) engine.Fail("proxy", problem);
  }
  BindAnalyze(&engine, &out->analyze);
  Binder alerts = engine.Map("alerts");
  alerts.Duration("poll_interval", kAlertsPollIntervalMin, kAlertsPollIntervalMax,
                  &out->alerts_poll_interval);
  alerts.Done();
  engine.Done();
}

std::vector<std::string> BindOtherInputs(Binder* inputs) {
  std::vector<std::string> on;
  Binder sniffer = inputs->Map("sniffer");
  bool sniffing = false;
  sniffer.Bool("enabled", &sniffing);
  if (sniffing) on.push_back("inputs.sniffer");
  sniffer.IgnoredText("interface");
  sniffer.Done();
  bool monitors = false;
  for (Binder& monitor : inputs->Maps("monitor")) {
    // NFR's file carries one entry with nothing in it, which stands for none.
    for (const char* key : {"format", "type", "file"}) {
      std::string text;
      monitor.Text(key, &text);
      monitors |= monitor.Has(key);
    }
    monitor.Done();
  }
  if (monitors) on.push_back("inputs.monitor");
  inputs->IgnoredText("msdns_time_format");
  inputs->IgnoredText("use_inotify");
  return on;
}

void BindOutputs(Binder* root, OutputsConfig* out) {
  Binder outputs = root->Map("outputs");
  outputs.Bool("enabled", &out->enabled);
  outputs.Text("file", &out->file);
  outputs.Choice("format", {"json", "cef"}, &out->format);
  Binder syslog = outputs.Map("syslog");
  syslog.Text("ip", &out->syslog_ip);
  syslog.Number("port", 1, 65535, &out->syslog_port);
  syslog.Choice("proto", {"tcp", "udp"}, &out->syslog_proto);
  syslog.Choice("format", {"json", "cef"}, &out->syslog_format);
  syslog.Done();
  Binder graylog = outputs.Map("graylog");
  graylog.Text("uri", &out->graylog_uri);
  if (!out->graylog_uri.empty()) {
    std::string problem = UrlProblem(out->graylog_uri, {"tcp://", "udp://"});
    if (problem.empty()) problem = ListenProblem(out->graylog_uri.substr(6));
    if (!problem.empty()) graylog.Fail("uri", problem);
  }
  graylog.Number("level", 0, 7, &out->graylog_level);
  graylog.Done();
  outputs.Done();
}

void BindScope(Binder* root, ScopeConfig* out) {
  Binder scope = root->Map("scope");
  scope.Text("file", &out->file);
  scope.Done();
}

void BindLog(Binder* root, LogConfig* out) {
  Binder log = root->Map("log");
  log.Text("file", &out->file);
  log.Choice("level", {"debug", "info", "warn", "error"}, &out->level);
  log.Done();
}

void BindData(Binder* root, DataConfig* out) {
  Binder data = root->Map("data");
  data.Text("dir", &out->dir);
  if (out->dir.empty()) data.Fail("dir", "must name a folder");
  data.Text("file", &out->file);
  data.Done();
}

void BindEventBuffers(Binder* root) {
  for (const char* name : {"dns_events", "ip_events", "http_events"}) {
    Binder events = root->Map(name);
    events.IgnoredNumber("buffer_size", kBufferSizeMin);
    events.IgnoredDuration("flush_interval", kFlushIntervalMin);
    if (name != std::string("http_events")) {
      Binder failed = events.Map("failed");
      failed.IgnoredText("file");
      failed.Done();
    }
    events.Done();
  }
}

}  // namespace nightjar::config
