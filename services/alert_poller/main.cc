// alert-poller: brings the engine's alerts to the places where people work.
#include "services/common/runtime/main.h"

#include <cstdio>

#include "services/alert_poller/alert_feed.h"
#include "services/alert_poller/alert_poller.h"
#include "services/alert_poller/config.h"
#include "services/common/checkpoint/folder_lock.h"
#include "services/common/reload/reload.h"
#include "services/common/runtime/log.h"
#include "services/common/runtime/stage_server.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::alert_poller {
namespace {

const runtime::StageInfo kStage = {"alert-poller", "fetches alerts and delivers them", 7404};
constexpr absl::Duration kWriteMax = absl::Seconds(10), kCloseMax = absl::Seconds(2);

// Start: state, servers, sinks, poller. Stop: poller, sinks, subscribers, servers.
absl::Status Run(const runtime::Flags& flags) {
  ASSIGN_OR_RETURN(const config::Config file, config::Load(flags.config, config::kEngine));
  ASSIGN_OR_RETURN(const PollerConfig config, FromConfig(file));
  if (flags.check_config) RETURN_IF_ERROR(GroupsOf(config).status());
  if (flags.check_config) return std::puts("OK"), absl::OkStatus();
  RETURN_IF_ERROR(runtime::InitLog(file.log.file, file.log.level, kStage.name));
  for (const std::string& warning : file.warnings) spdlog::warn("{}", warning);
  spdlog::info("{}", config.destination);
  const rpc::Security security(config.security);
  metrics::Metrics metrics;
  metrics::Ledger ledger(metrics, kStage.name);
  runtime::StageMonitor monitor(kStage.name, ledger, SystemClock());
  reload::Reloader reloader(file, config::kEngine, {}, monitor);
  AlertFeed feed(security);
  ASSIGN_OR_RETURN(const auto lock, checkpoint::FolderLock::Acquire(config.state_folder));
  const StageParts parts = {checkpoint::LocalFileSystem(), metrics, monitor, SystemClock()};
  ASSIGN_OR_RETURN(const auto poller, AlertPoller::Open(config, parts, feed.publisher()));
  monitor.SetPauseHandler([&poller](bool paused) { poller->SetPaused(paused); });
  const auto dump = [&file] { return Dump(file); };
  runtime::StageServer server(kStage, flags, security, metrics, monitor, dump);
  server.DescribeConfig(file, config::kEngine);
  server.AddService(feed, "nightjar.alerts.v1.AlertFeed");
  RETURN_IF_ERROR(server.Start());
  poller->Start();
  monitor.SetStarted();
  reloader.WaitForStop([&poller](const config::Config&) {
    poller->Reload();
    return absl::OkStatus();
  });
  monitor.SetDraining();
  server.StopAccepting();
  poller->Shutdown(kWriteMax);
  feed.EndAll();
  server.Shutdown(kCloseMax);
  return runtime::StopStatus();
}

}  // namespace
}  // namespace nightjar::alert_poller

int main(int argc, char** argv) {
  return nightjar::runtime::Main(argc, argv, nightjar::alert_poller::kStage,
                                 nightjar::alert_poller::Run);
}
