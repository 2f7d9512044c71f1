// es-reader: tails the telemetry in Elasticsearch without loss and sends it to the scorer.
#include "services/common/runtime/main.h"

#include <cstdio>
#include <memory>
#include <string>

#include "services/common/checkpoint/folder_lock.h"
#include "services/common/reload/reload.h"
#include "services/common/runtime/log.h"
#include "services/common/runtime/stage_server.h"
#include "services/common/status/status_macros.h"
#include "services/es_reader/config.h"
#include "services/es_reader/reader.h"
#include "spdlog/spdlog.h"

namespace nightjar::es_reader {
namespace {

const runtime::StageInfo kStage = {"es-reader", "Reads network telemetry from Elasticsearch.",
                                   7401};

absl::Status Run(const runtime::Flags& flags) {
  ASSIGN_OR_RETURN(const config::Config config, config::Load(flags.config, config::kElastic));
  ASSIGN_OR_RETURN(ReaderOptions options, OptionsFromConfig(config));
  const rpc::Security security(options.security);
  RETURN_IF_ERROR(security.Validate(flags.listen));
  if (flags.check_config) return std::puts("OK"), absl::OkStatus();
  RETURN_IF_ERROR(runtime::InitLog(config.log.file, config.log.level, kStage.name));
  for (const std::string& warning : config.warnings) spdlog::warn("{}", warning);
  ASSIGN_OR_RETURN(const auto folder, checkpoint::FolderLock::Acquire(options.state_folder));

  metrics::Metrics metrics;
  metrics::Ledger ledger(metrics, kStage.name);
  runtime::StageMonitor monitor(kStage.name, ledger, SystemClock());
  reload::Reloader reloader(config, config::kElastic, {}, monitor);
  rpc::FlowPool flow(FlowOptions(options, folder->fencing_token()), security, SystemClock());
  Reader reader(options, folder->fencing_token(),
                {flow, monitor, ledger, metrics, checkpoint::LocalFileSystem(), SystemClock(),
                 runtime::RequestStop});
  runtime::StageServer server(kStage, flags, security, metrics, monitor,
                              [&] { return config::Dump(config); });
  server.DescribeConfig(config, config::kElastic);
  RETURN_IF_ERROR(server.Start());
  flow.Start();
  RETURN_IF_ERROR(reader.Start());
  monitor.SetStarted();
  reloader.WaitForStop([&reader](const config::Config& changed) {
    reader.SetAuthorization(Authorization(changed.elastic));
    return absl::OkStatus();
  });

  monitor.SetDraining();
  server.StopAccepting();
  reader.Shutdown(absl::Seconds(20));
  server.Shutdown(absl::Seconds(2));
  return runtime::StopStatus();
}

}  // namespace
}  // namespace nightjar::es_reader

int main(int argc, char** argv) {
  return nightjar::runtime::Main(argc, argv, nightjar::es_reader::kStage, nightjar::es_reader::Run);
}
