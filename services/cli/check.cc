#include "services/cli/check.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/cli/child_process.h"
#include "services/cli/stages.h"
#include "services/common/analytics_api/engine_key.h"
#include "services/common/scope/groups.h"
#include "services/common/signals/lists.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::cli {
namespace {

// Where stages really listen is their own matter; this looks at the files of `security`.
constexpr char kLoopback[] = "127.0.0.1:0";

std::string Destination(const config::Config& config) {
  const bool own = config.engine.kind == config::EngineKind::kNightjar;
  std::string text = absl::StrCat("events go to ", absl::StrJoin(config.engine.hosts, ", then "),
                                  config.engine.local ? ", the embedded engine on this host" : "",
                                  " (kind ", own ? "nightjar" : "alphasoc", ")\n");
  if (!config.engine.proxy.empty()) absl::StrAppend(&text, "  through a proxy\n");
  if (config.engine.insecure_skip_verify) {
    absl::StrAppend(&text, "  whose TLS certificate is NOT verified\n");
  }
  return text;
}

std::string Redaction(const config::PrivacyConfig& privacy) {
  if (!privacy.redact_url) return "secrets in URLs are NOT masked\n";
  return absl::StrCat("masked in URLs: user and password, and the parameters ",
                      absl::StrJoin(privacy.secret_parameters, ", "), "\n");
}

std::string Sources(const config::ElasticConfig& elastic) {
  if (!elastic.enabled) return "no telemetry is read: inputs.elastic is not enabled\n";
  return absl::StrCat(
      "telemetry is read from ",
      elastic.cloud_id.empty() ? absl::StrJoin(elastic.hosts, ", ") : "the cluster of cloud_id",
      " by ", elastic.searches.size(), " searches\n");
}

absl::StatusOr<std::string> Scope(const config::ScopeConfig& scope) {
  if (scope.file.empty()) return std::string("scope: the built-in group of private networks\n");
  ASSIGN_OR_RETURN(const auto groups, scope::LoadGroups(scope.file));
  return absl::StrCat("scope: ", scope.file, ", ", groups.size(), " groups\n");
}

absl::StatusOr<std::string> Lists(const std::vector<config::ListConfig>& lists) {
  if (lists.empty()) return std::string();
  std::vector<signals::ListFile> files;
  files.reserve(lists.size());
  for (const config::ListConfig& list : lists) files.push_back({list.name, list.file, list.points});
  ASSIGN_OR_RETURN(const auto set, signals::ListSet::Load(files));
  return absl::StrCat("lists: ", files.size(), ", ", set->entries(), " entries\n");
}

// What only the stage knows, in its words. A note, when its program is not here to be asked.
absl::StatusOr<std::string> AskStage(const Stage& stage, const absl::StatusOr<std::string>& program,
                                     const std::string& config_path) {
  if (!program.ok()) {
    return absl::StrCat("warning: ", stage.name,
                        " has not checked its own part: ", program.status().message(), "\n");
  }
  ASSIGN_OR_RETURN(const auto child,
                   ChildProcess::Start({*program, "--config", config_path, "--check_config"},
                                       ChildProcess::Output::kDiscard));
  const int code = child->Wait();
  if (code == 0) return std::string();
  const std::string words = child->LastWords();
  return WithExitCode(
      absl::InvalidArgumentError(
          absl::StrCat(stage.name, ": ", words.empty() ? absl::StrCat("exit code ", code) : words)),
      code);
}

}  // namespace

absl::StatusOr<std::string> Check(const std::string& config_path, const std::string& own_folder,
                                  const std::string& libexec) {
  ASSIGN_OR_RETURN(const config::Config config, config::Load(config_path, config::kAll));
  ASSIGN_OR_RETURN(const std::string scope, Scope(config.scope));
  ASSIGN_OR_RETURN(const std::string lists, Lists(config.scoring.lists));
  RETURN_IF_ERROR(analytics_api::EngineKey(config).status());
  RETURN_IF_ERROR(SecurityOf(config).Validate(kLoopback));
  std::string text;
  std::string starts;
  for (const Stage& stage : NeededStages(config)) {
    const auto program = FindProgram(stage, own_folder, libexec);
    ASSIGN_OR_RETURN(const std::string note, AskStage(stage, program, config_path));
    text += note;
    absl::StrAppend(&starts, starts.empty() ? "" : ", ", stage.name);
  }
  for (const std::string& warning : config.warnings) {
    absl::StrAppend(&text, "warning: ", warning, "\n");
  }
  absl::StrAppend(&text, Sources(config.elastic), Destination(config), Redaction(config.privacy),
                  scope, lists, "alerts are ",
                  config.outputs.enabled ? "collected" : "not collected: outputs.enabled is false",
                  "\nstate: ", config.data.dir, "\nstages: ", starts, "\nOK\n");
  return text;
}

}  // namespace nightjar::cli
