// scorer: scopes and scores events between es-reader and ae-forwarder.
#include "services/common/runtime/main.h"

#include <cstdio>

#include "services/common/clock/clock.h"
#include "services/common/config/config.h"
#include "services/common/metrics/ledger.h"
#include "services/common/metrics/metrics.h"
#include "services/common/rpc/flow_server.h"
#include "services/common/rpc/security.h"
#include "services/common/runtime/log.h"
#include "services/common/runtime/stage_monitor.h"
#include "services/common/runtime/stage_server.h"
#include "services/common/status/status_macros.h"
#include "services/scorer/config.h"
#include "services/scorer/policy.h"
#include "services/scorer/scorer.h"

namespace nightjar::scorer {
namespace {

const runtime::StageInfo kStage = {"scorer", "scopes and scores events", 7402};
constexpr absl::Duration kDrainMax = absl::Seconds(20);
constexpr absl::Duration kCloseMax = absl::Seconds(2);

// Start: policy, stream below, servers. Stop: no new batches, those at work end, stream below,
// servers.
absl::Status Run(const runtime::Flags& flags) {
  ASSIGN_OR_RETURN(const config::Config file, config::Load(flags.config, 0));
  ASSIGN_OR_RETURN(const ScorerConfig config, FromConfig(file));
  if (!flags.check_config)
    RETURN_IF_ERROR(runtime::InitLog(file.log.file, file.log.level, kStage.name));

  Clock& clock = SystemClock();
  const rpc::Security security(config.security);
  metrics::Metrics metrics;
  metrics::Ledger ledger(metrics, kStage.name);
  runtime::StageMonitor monitor(kStage.name, ledger, clock);
  Policy policy(config, monitor, metrics, clock);
  RETURN_IF_ERROR(policy.Load());
  if (flags.check_config)
    return std::puts("OK") < 0 ? absl::InternalError("stdout") : absl::OkStatus();

  Scorer scorer(config, policy, ledger, monitor, metrics, security, clock);
  rpc::FlowServer flow({}, scorer, security, clock);
  runtime::StageServer server(kStage, flags, security, metrics, monitor,
                              [&file] { return Dump(file); });
  server.AddService(flow.service(), "nightjar.telemetry.v1.Telemetry");
  monitor.SetPauseHandler([&flow](bool paused) { flow.SetOpen(!paused); });
  scorer.Start();
  RETURN_IF_ERROR(server.Start());
  monitor.SetStarted();

  runtime::WaitForStop([&policy] { policy.Reload(); });
  monitor.SetDraining();
  server.StopAccepting();
  flow.Shutdown(kDrainMax);
  scorer.Shutdown(kCloseMax);
  server.Shutdown(kCloseMax);
  return runtime::StopStatus();
}

}  // namespace
}  // namespace nightjar::scorer

int main(int argc, char** argv) {
  return nightjar::runtime::Main(argc, argv, nightjar::scorer::kStage, nightjar::scorer::Run);
}
