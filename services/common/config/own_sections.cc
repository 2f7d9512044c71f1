#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/common/config/endpoint.h"
#include "services/common/config/sections.h"
#include "services/common/config/values.h"

namespace nightjar::config {
namespace {

constexpr uint64_t kKiB = 1ull << 10;
constexpr uint64_t kMiB = 1ull << 20;
constexpr uint64_t kGiB = 1ull << 30;
constexpr size_t kNameBytesMax = 64;
constexpr size_t kApiKeysMax = 100;

bool IsStart(const std::string& text) {
  absl::Time time;
  std::string error;
  return text == "earliest" || text == "latest" || ParseDuration(text) ||
         absl::ParseTime(absl::RFC3339_full, text, &time, &error);
}

bool IsName(const std::string& name) {
  for (const char c : name) {
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c) && c != '_' && c != '-') return false;
  }
  return !name.empty() && name.size() <= kNameBytesMax;
}

// The name of one of several `things`.
void BindName(Binder* map, absl::string_view thing, std::set<std::string>* names,
              std::string* out) {
  map->Text("name", out);
  if (!IsName(*out)) {
    map->Fail("name", absl::StrCat("must be set: 1 to ", kNameBytesMax,
                                   " of lower case letters, digits, _ and -"));
  } else if (!names->insert(*out).second) {
    map->Fail("name", absl::StrCat("is the name of an earlier ", thing));
  }
}

void BindList(Binder* list, std::set<std::string>* names, ListConfig* out) {
  out->line = list->line();
  BindName(list, "list", names, &out->name);
  list->Text("file", &out->file);
  list->Number("points", 1, 100, &out->points);
  if (out->file.empty()) list->Fail("file", "must name a file");
  list->Done();
}

void BindApiKey(Binder* entry, bool resolve, std::set<std::string>* names, ApiKeyConfig* out) {
  out->line = entry->line();
  BindName(entry, "key", names, &out->name);
  entry->Texts("scopes", &out->scopes);
  for (const std::string& scope : out->scopes) {
    if (scope == "ingest" || scope == "alerts" || scope == "admin") continue;
    entry->Fail("scopes", absl::StrCat("\"", scope, "\" is not one of: ingest, alerts, admin"));
  }
  if (out->scopes.empty()) entry->Fail("scopes", "must be set: ingest, alerts or admin");
  if (!entry->Has("key")) entry->Fail("key", "must be set, best as ${file:/path}");
  entry->set_resolve(resolve);
  entry->Hidden("key", &out->key);
  entry->Done();
}

}  // namespace

void BindReader(Binder* root, ReaderConfig* out) {
  Binder reader = root->Map("reader");
  reader.Duration("poll_interval", absl::Milliseconds(10), absl::Hours(1), &out->poll_interval);
  reader.Text("start", &out->start);
  if (!IsStart(out->start)) {
    reader.Fail("start",
                "must be earliest, latest, a duration back (24h) or a time (2026-01-31T00:00:00Z)");
  }
  reader.Text("site", &out->site);
  reader.Number("max_docs_per_second", 0, 1'000'000'000, &out->max_docs_per_second);
  reader.Number("searches_in_flight_max", 1, 16, &out->searches_in_flight_max);
  reader.Size("fetch_bytes_max", kMiB, 64 * kGiB, &out->fetch_bytes_max);
  reader.Done();
}

void BindFlows(Binder* root, FlowsConfig* out) {
  using Emit = FlowsConfig::Emit;
  Binder flows = root->Map("flows");
  flows.Choice<Emit>(
      "emit",
      {{"final", Emit::kFinal}, {"final_and_long", Emit::kFinalAndLong}, {"all", Emit::kAll}},
      &out->emit);
  flows.Duration("period", absl::Seconds(1), absl::Hours(24), &out->period);
  flows.Done();
}

void BindPrivacy(Binder* root, PrivacyConfig* out) {
  Binder privacy = root->Map("privacy");
  privacy.Bool("redact_url", &out->redact_url);
  privacy.Texts("secret_parameters", &out->secret_parameters);
  privacy.Done();
}

void BindScoring(Binder* root, ScoringConfig* out) {
  Binder scoring = root->Map("scoring");
  std::set<std::string> names;
  for (Binder& list : scoring.Maps("lists")) {
    out->lists.emplace_back();
    BindList(&list, &names, &out->lists.back());
  }
  scoring.Texts("bad_tlds", &out->bad_tlds);
  scoring.Number("threshold", 0, 100, &out->threshold);
  scoring.Done();
}

void BindForwarder(Binder* root, ForwarderConfig* out) {
  Binder forwarder = root->Map("forwarder");
  forwarder.Number("posts_in_flight_max", 1, 64, &out->posts_in_flight_max);
  forwarder.Number("body_events_max", 1, 50'000, &out->body_events_max);
  forwarder.Size("body_bytes_max", 64 * kKiB, 8 * kMiB, &out->body_bytes_max);
  forwarder.Duration("body_wait_max", absl::ZeroDuration(), absl::Seconds(10), &out->body_wait_max);
  forwarder.Duration("post_timeout", absl::Milliseconds(100), absl::Minutes(10),
                     &out->post_timeout);
  bool gzip = false;
  forwarder.Bool("gzip", &gzip);
  if (forwarder.Has("gzip")) out->gzip = gzip;
  forwarder.Size("quarantine_bytes_max", kKiB, 1024 * kGiB, &out->quarantine_bytes_max);
  forwarder.Done();
}

void BindServices(Binder* root, ServicesConfig* out) {
  Binder services = root->Map("services");
  const std::pair<const char*, ServiceConfig*> kFolders[] = {
      {"es_reader", &out->es_reader},
      {"scorer", &out->scorer},
      {"ae_forwarder", &out->ae_forwarder},
      {"alert_poller", &out->alert_poller},
      {"analytics_engine", &out->analytics_engine}};
  for (const auto& [folder, config] : kFolders) {
    Binder service = services.Map(folder);
    std::vector<std::string> addresses;
    service.Texts("address", &addresses);
    if (service.Has("address")) config->addresses = std::move(addresses);
    // An environment variable gives several in one text: "a:1,b:2".
    config->addresses = absl::StrSplit(absl::StrJoin(config->addresses, ","), ',');
    for (const std::string& address : config->addresses) {
      const std::string problem = ChannelProblem(address);
      if (!problem.empty()) service.Fail("address", problem);
    }
    service.Done();
  }
  services.Done();
}

void BindSecurity(Binder* root, SecurityConfig* out) {
  Binder security = root->Map("security");
  security.Text("ca_file", &out->ca_file);
  security.Text("certificate_file", &out->certificate_file);
  security.Text("key_file", &out->key_file);
  security.Texts("flow_peers", &out->flow_peers);
  security.Texts("view_peers", &out->view_peers);
  security.Texts("tap_peers", &out->tap_peers);
  security.Texts("operate_peers", &out->operate_peers);
  security.Texts("plaintext_networks", &out->plaintext_networks);
  security.Done();
}

void BindAnalyticsEngine(Binder* root, bool resolve_keys, AnalyticsEngineConfig* out) {
  Binder engine = root->Map("analytics_engine");
  engine.Text("listen", &out->listen);
  const std::string problem = ListenProblem(out->listen);
  if (!problem.empty()) engine.Fail("listen", problem);
  engine.Text("database", &out->database);
  std::set<std::string> names;
  for (Binder& entry : engine.Maps("api_keys")) {
    out->api_keys.emplace_back();
    BindApiKey(&entry, resolve_keys, &names, &out->api_keys.back());
  }
  if (out->api_keys.size() > kApiKeysMax) {
    engine.Fail("api_keys",
                absl::StrCat("are ", out->api_keys.size(), "; at most ", kApiKeysMax, " can be"));
  }
  engine.Done();
}

void BindReserved(Binder* root) {
  for (const char* name : {"poller", "sinks", "console"}) root->Map(name).Done();
}

}  // namespace nightjar::config
