// The servers of one stage: gRPC (admin, health, reflection, the stage's own services) and HTTP
// (/metrics /healthz /readyz).
#ifndef SERVICES_COMMON_RUNTIME_STAGE_SERVER_H_
#define SERVICES_COMMON_RUNTIME_STAGE_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/common/config/config.h"
#include "services/common/metrics/metrics.h"
#include "services/common/rpc/security.h"
#include "services/common/runtime/main.h"
#include "services/common/runtime/stage_monitor.h"

namespace grpc {
class Service;
}

namespace nightjar::runtime {

// A main() in the order that matters (ours have no more than this, and their own collaborators):
//
//   absl::Status Run(const runtime::Flags& flags) {
//     ASSIGN_OR_RETURN(config::Config config, config::Load(flags.config, ...));
//     if (flags.check_config) return absl::OkStatus();
//     RETURN_IF_ERROR(runtime::InitLog(config.log.file, config.log.level, kStage.name));
//     metrics::Metrics metrics;
//     metrics::Ledger ledger(metrics, kStage.name);
//     runtime::StageMonitor monitor(kStage.name, ledger, SystemClock());
//     rpc::Security security(...);
//     Scorer scorer(config, ledger, monitor);  // the stage itself
//     runtime::StageServer server(kStage, flags, security, metrics, monitor,
//                                 [&] { return config.ToYaml(); });
//     server.AddService(scorer.service(), "nightjar.telemetry.v1.Telemetry");
//     RETURN_IF_ERROR(server.Start());  // takers first
//     scorer.Start();
//     monitor.SetStarted();
//     runtime::WaitForStop([&] { scorer.Reload(); });
//     monitor.SetDraining();
//     server.StopAccepting();           // no new peers
//     scorer.Shutdown(absl::Seconds(20));
//     server.Shutdown(absl::Seconds(5));
//     return runtime::StopStatus();
//   }
//   int main(int argc, char** argv) { return runtime::Main(argc, argv, kStage, Run); }
//
// Everything passed in outlives it, and so do the services added. Not thread-safe: for main's
// thread.
class StageServer {
 public:
  // `config_yaml` is what GetConfig answers: effective, masked.
  StageServer(StageInfo info, const Flags& flags, const rpc::Security& security,
              metrics::Metrics& metrics, StageMonitor& monitor,
              std::function<std::string()> config_yaml);
  ~StageServer();

  // Before Start. The name is what health answers for, e.g. "nightjar.telemetry.v1.Telemetry".
  void AddService(grpc::Service& service, const std::string& name);
  // Before Start. Goes into the address file as "api"; only analytics-engine has one.
  void SetApiAddress(const std::string& address);

  // Before Start. What metrics tell of the configuration: transports that are not secure, the end
  // of the certificate, room in data.dir. `sections` are those that the stage loads.
  void DescribeConfig(const config::Config& config, unsigned sections);

  // Binds, serves, writes the address file (atomically). Exit code 78 when an address cannot be
  // bound or is not allowed.
  absl::Status Start();

  // NOT_SERVING at once, for load balancers; calls go on.
  void StopAccepting();
  // Ends every call: at once where it is WatchStatus or Tap, others when they end by themselves or
  // `deadline` has passed. Then stops both servers; connections without a call do not hold it up.
  // Idempotent, works unstarted.
  void Shutdown(absl::Duration deadline);

  // "host:port" once started, with the ports that port 0 became.
  const std::string& grpc_address() const;
  const std::string& http_address() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_STAGE_SERVER_H_
