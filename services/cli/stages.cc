#include "services/cli/stages.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/rpc/security_config.h"
#include "services/common/status/exit_status.h"

namespace nightjar::cli {
namespace {

// Sinks first, the engine before all.
std::vector<Stage> AllStages(const config::ServicesConfig& services) {
  return {
      {"analytics-engine", "analytics_engine", services.analytics_engine.addresses},
      {"alert-poller", "alert_poller", services.alert_poller.addresses},
      {"ae-forwarder", "ae_forwarder", services.ae_forwarder.addresses},
      {"scorer", "scorer", services.scorer.addresses},
      {"es-reader", "es_reader", services.es_reader.addresses},
  };
}

bool IsNeeded(const Stage& stage, const config::Config& config) {
  if (stage.name == "analytics-engine") return config.engine.local;
  if (stage.name == "alert-poller") return config.outputs.enabled;
  return config.elastic.enabled;
}

}  // namespace

std::vector<Stage> NeededStages(const config::Config& config) {
  std::vector<Stage> needed;
  for (Stage& stage : AllStages(config.services)) {
    if (IsNeeded(stage, config)) needed.push_back(std::move(stage));
  }
  return needed;
}

std::vector<Stage> DeployedStages(const config::Config& config) {
  const bool elsewhere = !config.engine.local &&
                         config.engine.kind == config::EngineKind::kNightjar &&
                         !config.analytics_engine.api_keys.empty();
  std::vector<Stage> deployed = NeededStages(config);
  if (elsewhere) deployed.insert(deployed.begin(), AllStages(config.services).front());
  return deployed;
}

absl::StatusOr<Stage> FindStage(const config::Config& config, absl::string_view name) {
  std::vector<std::string> known;
  for (Stage& stage : AllStages(config.services)) {
    if (name == stage.name || name == stage.folder) return std::move(stage);
    known.push_back(stage.name);
  }
  return UsageError(absl::StrCat("there is no stage \"", name, "\"; the stages are ",
                                 absl::StrJoin(known.rbegin(), known.rend(), ", ")));
}

absl::StatusOr<std::string> FindProgram(const Stage& stage, const std::string& own_folder,
                                        const std::string& libexec) {
  std::vector<std::string> places = {
      absl::StrCat(own_folder, "/", stage.name),
      absl::StrCat(own_folder, "/../libexec/nightjar/", stage.name),
      absl::StrCat(own_folder, "/../", stage.folder, "/", stage.name)};
  if (!libexec.empty()) places.insert(places.begin(), absl::StrCat(libexec, "/", stage.name));
  for (const std::string& place : places) {
    if (access(place.c_str(), X_OK) == 0) return place;
  }
  return ConfigError(absl::StrCat("the program of ", stage.name, " is not at ",
                                  absl::StrJoin(places, " nor at "),
                                  "; set NIGHTJAR_LIBEXEC to the folder that holds it"));
}

std::string OwnFolder() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  if (size <= 0) return ".";
  const std::string text(path, static_cast<size_t>(size));
  return text.substr(0, text.rfind('/'));
}

std::string Libexec() {
  const char* const folder = std::getenv("NIGHTJAR_LIBEXEC");
  return folder == nullptr ? "" : folder;
}

rpc::Security SecurityOf(const config::Config& config) {
  return rpc::Security(rpc::FromConfig(config.security));
}

}  // namespace nightjar::cli
