// ae-forwarder: brings events to the analytics engine.
#include "services/common/runtime/main.h"

#include <cstdio>

#include "services/ae_forwarder/config.h"
#include "services/ae_forwarder/forwarder.h"
#include "services/ae_forwarder/forwarder_state.h"
#include "services/common/checkpoint/folder_lock.h"
#include "services/common/reload/reload.h"
#include "services/common/runtime/log.h"
#include "services/common/runtime/stage_server.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::ae_forwarder {
namespace {

const runtime::StageInfo kStage = {"ae-forwarder", "brings events to the analytics engine", 7403};
constexpr absl::Duration kDrainMax = absl::Seconds(20), kCloseMax = absl::Seconds(2);

// Start: state, forwarder, servers. Stop: no new batches, posts under way end, forwarder, servers.
absl::Status Run(const runtime::Flags& flags) {
  ASSIGN_OR_RETURN(const config::Config file, config::Load(flags.config, config::kEngine));
  ASSIGN_OR_RETURN(const ForwarderConfig config, FromConfig(file));
  if (flags.check_config) return std::puts("OK"), absl::OkStatus();
  RETURN_IF_ERROR(runtime::InitLog(file.log.file, file.log.level, kStage.name));
  for (const std::string& warning : file.warnings) spdlog::warn("{}", warning);
  spdlog::info("{}", config.destination);
  const rpc::Security security(config.security);
  metrics::Metrics metrics;
  metrics::Ledger ledger(metrics, kStage.name);
  runtime::StageMonitor monitor(kStage.name, ledger, SystemClock());
  reload::Reloader reloader(file, config::kEngine, {}, monitor);
  ASSIGN_OR_RETURN(const auto lock, checkpoint::FolderLock::Acquire(config.state.folder));
  ASSIGN_OR_RETURN(auto state, ForwarderState::Open(checkpoint::LocalFileSystem(), config.state));
  Forwarder forwarder(config.options, {*state, metrics, ledger, monitor, SystemClock()});
  rpc::FlowServer flow({}, forwarder, security, SystemClock());
  runtime::StageServer server(kStage, flags, security, metrics, monitor,
                              [&] { return Dump(file); });
  server.DescribeConfig(file, config::kEngine);
  server.AddService(flow.service(), "nightjar.telemetry.v1.Telemetry");
  forwarder.SetCreditSwitch([&flow](bool open) { flow.SetOpen(open); });
  monitor.SetPauseHandler([&forwarder](bool paused) { forwarder.SetPaused(paused); });
  forwarder.Start();
  RETURN_IF_ERROR(server.Start());
  monitor.SetStarted();
  reloader.WaitForStop([&forwarder](const config::Config&) {
    forwarder.ReloadApiKey();
    return absl::OkStatus();
  });
  monitor.SetDraining();
  server.StopAccepting();
  flow.Shutdown(kDrainMax);
  forwarder.Shutdown();
  server.Shutdown(kCloseMax);
  return runtime::StopStatus();
}

}  // namespace
}  // namespace nightjar::ae_forwarder

int main(int argc, char** argv) {
  return nightjar::runtime::Main(argc, argv, nightjar::ae_forwarder::kStage,
                                 nightjar::ae_forwarder::Run);
}
