// analytics-engine: takes events over the AlphaSOC API v1 and raises alerts.
#include "services/common/runtime/main.h"

#include <cstdio>

#include "services/analytics_engine/config.h"
#include "services/analytics_engine/engine.h"
#include "services/analytics_engine/keys_service.h"
#include "services/common/reload/reload.h"
#include "services/common/runtime/log.h"
#include "services/common/runtime/stage_server.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::analytics_engine {
namespace {

const runtime::StageInfo kStage = {"analytics-engine", "Takes events and raises alerts.", 7405};

// What changes without a restart. Each part is tried, whatever became of the others.
absl::Status Reload(const config::Config& file, Engine& engine) {
  engine.ReloadLists();
  absl::Status status = engine.ReloadCertificate();
  const auto keys = ConfiguredKeys(file);
  status.Update(keys.ok() ? engine.SetApiKeys(*keys) : keys.status());
  return status;
}

absl::Status CheckLists(const EngineConfig& config) {
  RETURN_IF_ERROR(signals::ListSet::Load(config.lists).status());
  return std::puts("OK"), absl::OkStatus();
}

// Start: state and detectors, API, gRPC. Stop: API (bodies under way end), gRPC.
absl::Status Run(const runtime::Flags& flags) {
  ASSIGN_OR_RETURN(const config::Config file, config::Load(flags.config, config::kApiKeys));
  ASSIGN_OR_RETURN(const EngineConfig config, FromConfig(file));
  const rpc::Security security(config.security);
  RETURN_IF_ERROR(security.Validate(flags.listen));
  if (flags.check_config) return CheckLists(config);
  RETURN_IF_ERROR(runtime::InitLog(file.log.file, file.log.level, kStage.name));
  for (const std::string& warning : file.warnings) spdlog::warn("{}", warning);
  metrics::Metrics metrics;
  metrics::Ledger ledger(metrics, kStage.name);
  runtime::StageMonitor monitor(kStage.name, ledger, SystemClock());
  reload::Reloader reloader(file, config::kApiKeys,
                            {config.api.certificate_file, config.api.key_file}, monitor);
  ASSIGN_OR_RETURN(const auto engine,
                   Engine::Open(config, {metrics, ledger, monitor, SystemClock()}));
  KeysService keys(engine->keys(), security);
  runtime::StageServer server(kStage, flags, security, metrics, monitor,
                              [&] { return Dump(file); });
  server.DescribeConfig(file, 0);
  server.AddService(keys, "nightjar.admin.v1.EngineKeys");
  ASSIGN_OR_RETURN(const std::string api_address, engine->StartApi());
  server.SetApiAddress(api_address);
  RETURN_IF_ERROR(server.Start());
  monitor.SetStarted();
  reloader.WaitForStop([&](const config::Config& changed) { return Reload(changed, *engine); });
  monitor.SetDraining();
  server.StopAccepting();
  engine->Shutdown();
  server.Shutdown(absl::Seconds(2));
  return runtime::StopStatus();
}

}  // namespace
}  // namespace nightjar::analytics_engine

int main(int argc, char** argv) {
  return nightjar::runtime::Main(argc, argv, nightjar::analytics_engine::kStage,
                                 nightjar::analytics_engine::Run);
}
