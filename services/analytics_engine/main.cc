// analytics-engine: takes events over the AlphaSOC API v1 and raises alerts.
#include "services/common/runtime/main.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "services/analytics_engine/config.h"
#include "services/analytics_engine/engine.h"
#include "services/analytics_engine/keys_service.h"
#include "services/common/runtime/log.h"
#include "services/common/runtime/stage_server.h"
#include "services/common/status/status_macros.h"

namespace nightjar::analytics_engine {
namespace {

const runtime::StageInfo kStage = {"analytics-engine", "Takes events and raises alerts.", 7405};

absl::Status Reload(const std::string& path, Engine& engine) {
  ASSIGN_OR_RETURN(const config::Config file, config::Load(path, config::kApiKeys));
  RETURN_IF_ERROR(runtime::SetLogLevel(file.log.level).status());
  ASSIGN_OR_RETURN(const std::vector<ConfiguredKey> keys, ConfiguredKeys(file));
  return engine.SetApiKeys(keys);
}

void OnHangup(const std::string& path, Engine& engine, runtime::StageMonitor& monitor) {
  engine.ReloadLists();
  const absl::Status reloaded = Reload(path, engine);
  if (reloaded.ok()) return monitor.ClearCondition("configuration");
  monitor.SetCondition("configuration", absl::StrCat("not reloaded, the API keys before stay: ",
                                                     reloaded.message()));
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
  metrics::Metrics metrics;
  metrics::Ledger ledger(metrics, kStage.name);
  runtime::StageMonitor monitor(kStage.name, ledger, SystemClock());
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
  runtime::WaitForStop([&] { OnHangup(flags.config, *engine, monitor); });
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
