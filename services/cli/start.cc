#include "services/cli/start.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/cli/stages.h"
#include "services/cli/supervisor.h"
#include "services/cli/telemetry_reporter.h"
#include "services/common/config/config.h"
#include "services/common/runtime/log.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::cli {
namespace {

// Each stage serves where the others look for it.
absl::StatusOr<std::vector<StageProgram>> Programs(const config::Config& config) {
  std::vector<StageProgram> programs;
  for (const Stage& stage : NeededStages(config)) {
    ASSIGN_OR_RETURN(std::string program, FindProgram(stage, OwnFolder(), Libexec()));
    if (stage.addresses.empty()) {
      return ConfigError(
          absl::StrCat(config.path, ": services.", stage.folder, ".address: no address"));
    }
    const std::string& address = stage.addresses.front();
    programs.push_back(
        {stage.name, {std::move(program), "--config", config.path, "--listen", address}, address});
  }
  return programs;
}

}  // namespace

absl::Status RunStart(const std::string& config_path) {
  Supervisor::BlockSignals();
  ASSIGN_OR_RETURN(const config::Config config, config::Load(config_path, 0));
  ASSIGN_OR_RETURN(std::vector<StageProgram> programs, Programs(config));
  RETURN_IF_ERROR(runtime::InitLog(config.log.file, config.log.level, "nightjar"));
  spdlog::info(
      "starting {} stages; the first SIGTERM or SIGINT stops them in order, a second one "
      "kills them",
      programs.size());
  std::optional<TelemetryReporter> reporter;
  if (config.elastic.enabled) reporter.emplace(config, SystemClock()).Start();
  Supervisor supervisor(std::move(programs), {}, SystemClock());
  return supervisor.Run();
}

}  // namespace nightjar::cli
