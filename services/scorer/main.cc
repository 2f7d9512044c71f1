// scorer: scopes and scores events between es-reader and ae-forwarder.
#include "services/common/runtime/main.h"

#include <cstdio>

#include "services/common/runtime/log.h"
#include "services/common/runtime/stage_server.h"
#include "services/common/status/status_macros.h"
#include "services/scorer/scorer.h"
#include "spdlog/spdlog.h"

namespace nightjar::scorer {
namespace {

const runtime::StageInfo kStage = {"scorer", "Scopes and scores events.", 7402};

void OnHangup(const std::string& path, Policy& policy) {
  policy.Reload();
  const auto file = config::Load(path, 0);
  if (file.ok() && runtime::SetLogLevel(file->log.level).ok()) return;
  spdlog::warn("log.level is not reloaded: {}", file.status().ToString());
}

absl::Status Run(const runtime::Flags& flags) {
  ASSIGN_OR_RETURN(const config::Config file, config::Load(flags.config, 0));
  ASSIGN_OR_RETURN(const ScorerConfig config, FromConfig(file));
  const rpc::Security security(config.security);
  RETURN_IF_ERROR(security.Validate(flags.listen));
  if (flags.check_config) RETURN_IF_ERROR(CheckFiles(config));
  if (flags.check_config) return std::puts("OK"), absl::OkStatus();
  RETURN_IF_ERROR(runtime::InitLog(file.log.file, file.log.level, kStage.name));
  metrics::Metrics metrics;
  metrics::Ledger ledger(metrics, kStage.name);
  runtime::StageMonitor monitor(kStage.name, ledger, SystemClock());
  Policy policy(config, monitor, metrics, SystemClock());
  RETURN_IF_ERROR(policy.Load());
  Scorer scorer(config, policy, ledger, monitor, metrics, security, SystemClock());
  rpc::FlowServer flow({}, scorer, security, SystemClock());
  const auto dump = [&file] { return config::Dump(file); };
  runtime::StageServer server(kStage, flags, security, metrics, monitor, dump);
  server.DescribeConfig(file, 0);
  server.AddService(flow.service(), "nightjar.telemetry.v1.Telemetry");
  monitor.SetPauseHandler([&flow](bool paused) { flow.SetOpen(!paused); });
  scorer.Start();
  RETURN_IF_ERROR(server.Start());
  monitor.SetStarted();
  runtime::WaitForStop([&] { OnHangup(flags.config, policy); });
  monitor.SetDraining();
  server.StopAccepting();
  flow.Shutdown(absl::Seconds(20));  // what is at work ends below
  scorer.Shutdown(absl::Seconds(2));
  server.Shutdown(absl::Seconds(2));
  return runtime::StopStatus();
}

}  // namespace
}  // namespace nightjar::scorer

int main(int argc, char** argv) {
  return nightjar::runtime::Main(argc, argv, nightjar::scorer::kStage, nightjar::scorer::Run);
}
