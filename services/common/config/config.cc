#include "services/common/config/config.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/config/binder.h"
#include "services/common/config/endpoint.h"
#include "services/common/config/sections.h"
#include "services/common/config/yaml.h"
#include "services/common/status/status_macros.h"

namespace nightjar::config {
namespace {

// A password and an API key must not travel in plain text, and nobody must think they are safe.
void WarnOfTransport(const std::string& key, const std::vector<std::string>& hosts, bool insecure,
                     std::vector<std::string>* warnings) {
  for (const std::string& host : hosts) {
    if (IsPlainTextOffHost(host)) {
      warnings->push_back(absl::StrCat(key, ": ", host, " is not encrypted (allow_plaintext)"));
    }
  }
  if (insecure) {
    warnings->push_back(absl::StrCat(key, ".insecure_skip_verify: anybody on the way can pose as ",
                                     "the server; set ca_file instead"));
  }
}

void WarnOfShortLife(const std::string& key, const std::string& path,
                     std::vector<std::string>* warnings) {
  const bool under_run = path == "/run" || absl::StartsWith(path, "/run/") || path == "/var/run" ||
                         absl::StartsWith(path, "/var/run/");
  if (!under_run) return;
  warnings->push_back(absl::StrCat(key, ": ", path, " dies with a reboot, and the positions in it;",
                                   " choose a folder on disk such as ", DataConfig().dir));
}

void AddWarnings(const BindContext& context, unsigned sections, Config* config) {
  std::vector<std::string>* warnings = &config->warnings;
  if (!context.ignored.empty()) {
    warnings->push_back(absl::StrCat("keys that are accepted and have no meaning here: ",
                                     absl::StrJoin(context.ignored, ", ")));
  }
  WarnOfShortLife("data.dir", config->data.dir, warnings);
  WarnOfShortLife("data.file", config->data.file, warnings);
  if ((sections & kElastic) != 0 && config->elastic.enabled) {
    WarnOfTransport("inputs.elastic", config->elastic.hosts, config->elastic.insecure_skip_verify,
                    warnings);
  }
  if ((sections & kEngine) == 0) return;
  WarnOfTransport("engine", config->engine.hosts, config->engine.insecure_skip_verify, warnings);
  if (config->engine.kind == EngineKind::kAlphaSoc && config->engine.api_key.empty()) {
    warnings->push_back("engine.api_key: is not set, and the engine refuses events without it");
  }
}

void BindInputs(Binder* root, bool resolve_elastic, Config* config) {
  Binder inputs = root->Map("inputs");
  BindElastic(&inputs, resolve_elastic, &config->elastic);
  for (const std::string& other : BindOtherInputs(&inputs)) {
    if (!config->elastic.enabled) {
      const std::string key = other.substr(other.find('.') + 1);
      inputs.Fail(key, "is not supported; enable inputs.elastic instead");
    }
    config->warnings.push_back(
        absl::StrCat(other, ": is not supported and not read; inputs.elastic is"));
  }
  inputs.Done();
}

// Every section of the file, in the order of the messages' importance.
void BindAll(Binder* root, unsigned sections, Config* config) {
  BindEngine(root, (sections & kEngine) != 0, &config->engine);
  BindInputs(root, (sections & kElastic) != 0, config);
  BindOutputs(root, &config->outputs);
  BindScope(root, &config->scope);
  BindLog(root, &config->log);
  BindData(root, &config->data);
  BindEventBuffers(root);
  BindReader(root, &config->reader);
  BindFlows(root, &config->flows);
  BindPrivacy(root, &config->privacy);
  BindScoring(root, &config->scoring);
  BindForwarder(root, &config->forwarder);
  BindServices(root, &config->services);
  BindSecurity(root, &config->security);
  BindAnalyticsEngine(root, (sections & kApiKeys) != 0, &config->analytics_engine);
  BindReserved(root);
}

void SetLocalEngine(Binder* root, Config* config) {
  const std::string url = "http://" + config->analytics_engine.listen;
  // There its API has another scheme, and a name that only its certificate knows.
  if (IsPlainTextOffHost(url) && !config->security.certificate_file.empty()) {
    root->Fail("engine", absl::StrCat("host: local wants analytics_engine.listen on loopback, not ",
                                      config->analytics_engine.listen, "; write host: ",
                                      "https://NAME:PORT with ca_file and api_key instead"));
  }
  config->engine.hosts = {url};
}

absl::StatusOr<Config> FromYaml(const YamlNode& file, const std::string& path, unsigned sections) {
  Config config;
  config.path = path;
  BindContext context;
  Binder root(file, &context, /*resolve=*/true);
  BindAll(&root, sections, &config);
  if (config.engine.local) SetLocalEngine(&root, &config);
  if (!config.elastic.enabled && !config.outputs.enabled) {
    root.Fail("inputs", "or outputs must be on: enable inputs.elastic or outputs");
  }
  root.Done();
  RETURN_IF_ERROR(context.error);
  AddWarnings(context, sections, &config);
  config.files = std::move(context.files);
  return config;
}

}  // namespace

absl::StatusOr<Config> Load(const std::string& path, unsigned sections) {
  ASSIGN_OR_RETURN(const YamlNode file, YamlNode::ParseFile(path));
  return FromYaml(file, path, sections);
}

absl::StatusOr<Config> LoadText(absl::string_view text, const std::string& file,
                                unsigned sections) {
  ASSIGN_OR_RETURN(const YamlNode root, YamlNode::Parse(text, file));
  return FromYaml(root, file, sections);
}

}  // namespace nightjar::config
