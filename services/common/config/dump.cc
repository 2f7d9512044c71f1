// Dump: the effective configuration as YAML that Load reads back.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/common/config/config.h"
#include "services/common/config/endpoint.h"

namespace nightjar::config {
namespace {

constexpr char kMask[] = "********";

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", std::string(1, c));
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      absl::StrAppend(&out, "\\x", absl::Hex(c, absl::kZeroPad2));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Appends lines; Open and Close indent.
class Writer {
 public:
  void Open(const std::string& key) {
    Line(key + ":");
    indent_ += 2;
  }
  void Close() { indent_ -= 2; }

  void Text(const std::string& key, const std::string& value) { Line(key + ": " + Quoted(value)); }
  void Hidden(const std::string& key, const Secret& value) {
    Text(key, value.empty() ? "" : kMask);
  }
  void Bool(const std::string& key, bool value) { Line(key + (value ? ": true" : ": false")); }
  void Number(const std::string& key, uint64_t value) { Line(absl::StrCat(key, ": ", value)); }
  void Duration(const std::string& key, absl::Duration value) {
    Line(absl::StrCat(key, ": ", absl::FormatDuration(value)));
  }
  void Texts(const std::string& key, const std::vector<std::string>& values) {
    if (values.empty()) return Line(key + ": []");
    Line(key + ":");
    for (const std::string& value : values) Line("  - " + Quoted(value));
  }
  // An element of a list of maps; its keys follow.
  void OpenElement() {
    dash_ = true;
    indent_ += 4;
  }
  void CloseElement() { indent_ -= 4; }

  std::string text() && { return std::move(text_); }

 private:
  void Line(const std::string& line) {
    absl::StrAppend(&text_, std::string(indent_ - (dash_ ? 2 : 0), ' '), dash_ ? "- " : "", line,
                    "\n");
    dash_ = false;
  }

  std::string text_;
  size_t indent_ = 0;
  bool dash_ = false;
};

const char* Name(EventType type) {
  switch (type) {
    case EventType::kDns:
      return "dns";
    case EventType::kIp:
      return "ip";
    case EventType::kHttp:
      return "http";
    case EventType::kTls:
      return "tls";
  }
  return "";
}

const char* Name(FlowsConfig::Emit emit) {
  switch (emit) {
    case FlowsConfig::Emit::kDefault:
      return "";
    case FlowsConfig::Emit::kFinal:
      return "final";
    case FlowsConfig::Emit::kFinalAndLong:
      return "final_and_long";
    case FlowsConfig::Emit::kAll:
      return "all";
  }
  return "";
}

void DumpEngine(const EngineConfig& engine, Writer* out) {
  out->Open("engine");
  out->Texts("host", engine.local ? std::vector<std::string>{"local"} : engine.hosts);
  out->Bool("allow_plaintext", engine.allow_plaintext);
  out->Text("kind", engine.kind == EngineKind::kNightjar ? "nightjar" : "alphasoc");
  out->Hidden("api_key", engine.api_key);
  out->Text("ca_file", engine.ca_file);
  out->Bool("insecure_skip_verify", engine.insecure_skip_verify);
  out->Text("proxy", MaskUserInfo(engine.proxy));
  out->Open("analyze");
  for (const auto& [type, wanted] : engine.analyze) out->Bool(Name(type), wanted);
  out->Close();
  out->Open("alerts");
  out->Duration("poll_interval", engine.alerts_poll_interval);
  out->Close();
  out->Close();
}

void DumpSearch(const SearchConfig& search, Writer* out) {
  out->OpenElement();
  out->Text("event_type", Name(search.event_type));
  out->Texts("indices", search.indices);
  out->Text("index_schema", search.index_schema);
  out->Texts("must_have_fields", search.must_have_fields);
  out->Text("search_term", search.search_term);
  out->Open("field_names");
  for (const auto& [name, field] : search.field_names) out->Text(name, field);
  out->Close();
  out->CloseElement();
}

void DumpElastic(const ElasticConfig& elastic, Writer* out) {
  out->Open("inputs");
  out->Open("elastic");
  out->Bool("enabled", elastic.enabled);
  out->Text("cloud_id", elastic.cloud_id);
  out->Texts("hosts", elastic.hosts);
  out->Bool("allow_plaintext", elastic.allow_plaintext);
  out->Hidden("api_key", elastic.api_key);
  out->Text("username", elastic.username);
  out->Hidden("password", elastic.password);
  out->Text("ca_file", elastic.ca_file);
  out->Text("ca_fingerprint", elastic.ca_fingerprint);
  out->Bool("insecure_skip_verify", elastic.insecure_skip_verify);
  out->Text("proxy", MaskUserInfo(elastic.proxy));
  out->Open("searches");
  for (const SearchConfig& search : elastic.searches) DumpSearch(search, out);
  out->Close();
  out->Close();
  out->Close();
}

void DumpOutputs(const OutputsConfig& outputs, Writer* out) {
  out->Open("outputs");
  out->Bool("enabled", outputs.enabled);
  out->Text("file", outputs.file);
  out->Text("format", outputs.format);
  out->Open("syslog");
  out->Text("ip", outputs.syslog_ip);
  out->Number("port", outputs.syslog_port);
  out->Text("proto", outputs.syslog_proto);
  out->Text("format", outputs.syslog_format);
  out->Close();
  out->Open("graylog");
  out->Text("uri", outputs.graylog_uri);
  out->Number("level", outputs.graylog_level);
  out->Close();
  out->Close();
}

void DumpScoring(const ScoringConfig& scoring, Writer* out) {
  out->Open("scoring");
  out->Open("lists");
  for (const ListConfig& list : scoring.lists) {
    out->OpenElement();
    out->Text("name", list.name);
    out->Text("file", list.file);
    out->Number("points", list.points);
    out->CloseElement();
  }
  out->Close();
  out->Texts("bad_tlds", scoring.bad_tlds);
  out->Number("threshold", scoring.threshold);
  out->Close();
}

void DumpForwarder(const ForwarderConfig& forwarder, Writer* out) {
  out->Open("forwarder");
  out->Number("posts_in_flight_max", forwarder.posts_in_flight_max);
  out->Number("body_events_max", forwarder.body_events_max);
  out->Number("body_bytes_max", forwarder.body_bytes_max);
  out->Duration("body_wait_max", forwarder.body_wait_max);
  out->Duration("post_timeout", forwarder.post_timeout);
  if (forwarder.gzip.has_value()) out->Bool("gzip", *forwarder.gzip);
  out->Number("quarantine_bytes_max", forwarder.quarantine_bytes_max);
  out->Close();
}

void DumpReader(const Config& config, Writer* out) {
  out->Open("reader");
  out->Duration("poll_interval", config.reader.poll_interval);
  out->Text("start", config.reader.start);
  out->Text("site", config.reader.site);
  out->Number("max_docs_per_second", config.reader.max_docs_per_second);
  out->Number("searches_in_flight_max", config.reader.searches_in_flight_max);
  out->Number("fetch_bytes_max", config.reader.fetch_bytes_max);
  out->Close();
  out->Open("flows");
  out->Text("emit", Name(config.flows.emit));
  out->Duration("period", config.flows.period);
  out->Close();
  out->Open("privacy");
  out->Bool("redact_url", config.privacy.redact_url);
  out->Texts("secret_parameters", config.privacy.secret_parameters);
  out->Close();
}

void DumpServices(const ServicesConfig& services, Writer* out) {
  out->Open("services");
  const std::pair<const char*, const ServiceConfig*> kFolders[] = {
      {"es_reader", &services.es_reader},
      {"scorer", &services.scorer},
      {"ae_forwarder", &services.ae_forwarder},
      {"alert_poller", &services.alert_poller},
      {"analytics_engine", &services.analytics_engine}};
  for (const auto& [folder, service] : kFolders) {
    out->Open(folder);
    out->Texts("address", service->addresses);
    out->Close();
  }
  out->Close();
}

void DumpSecurity(const SecurityConfig& security, Writer* out) {
  out->Open("security");
  out->Text("ca_file", security.ca_file);
  out->Text("certificate_file", security.certificate_file);
  out->Text("key_file", security.key_file);
  out->Texts("flow_peers", security.flow_peers);
  out->Texts("view_peers", security.view_peers);
  out->Texts("tap_peers", security.tap_peers);
  out->Texts("operate_peers", security.operate_peers);
  out->Texts("plaintext_networks", security.plaintext_networks);
  out->Close();
}

void DumpPlaces(const Config& config, Writer* out) {
  out->Open("scope");
  out->Text("file", config.scope.file);
  out->Close();
  out->Open("log");
  out->Text("file", config.log.file);
  out->Text("level", config.log.level);
  out->Close();
  out->Open("data");
  out->Text("dir", config.data.dir);
  out->Text("file", config.data.file);
  out->Close();
  out->Open("analytics_engine");
  out->Text("listen", config.analytics_engine.listen);
  out->Text("database", config.analytics_engine.database);
  out->Open("api_keys");
  for (const ApiKeyConfig& key : config.analytics_engine.api_keys) {
    out->OpenElement();
    out->Text("name", key.name);
    out->Hidden("key", key.key);
    out->Texts("scopes", key.scopes);
    out->CloseElement();
  }
  out->Close();
  out->Close();
}

}  // namespace

std::string Dump(const Config& config) {
  Writer out;
  DumpEngine(config.engine, &out);
  DumpElastic(config.elastic, &out);
  DumpReader(config, &out);
  DumpScoring(config.scoring, &out);
  DumpForwarder(config.forwarder, &out);
  DumpOutputs(config.outputs, &out);
  DumpServices(config.services, &out);
  DumpSecurity(config.security, &out);
  DumpPlaces(config, &out);
  return std::move(out).text();
}

}  // namespace nightjar::config
