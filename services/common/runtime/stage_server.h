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
#include "services/common/metrics/metrics.h"
#include "services/common/rpc/security.h"
#include "services/common/runtime/main.h"
#include "services/common/runtime/stage_monitor.h"

namespace grpc {
class Service;
}

namespace nightjar::runtime {

// Everything passed in outlives it.
class StageServer {
 public:
  // `config_yaml` is what GetConfig answers: effective, masked.
  StageServer(StageInfo info, const Flags& flags, const rpc::Security& security,
              metrics::Metrics& metrics, StageMonitor& monitor,
              std::function<std::string()> config_yaml);
  ~StageServer();

  // Before Start. The name is what health answers for, e.g. "nightjar.telemetry.v1.Telemetry".
  void AddService(grpc::Service& service, const std::string& name);
  // Also served by the HTTP server and put in the address file as "api"; only analytics-engine has
  // one.
  void SetApiAddress(const std::string& address);

  // Binds, serves, writes the address file (atomically). Exit code 78 when an address cannot be
  // bound or is not allowed.
  absl::Status Start();

  // NOT_SERVING at once, for load balancers; calls go on.
  void StopAccepting();
  // Ends every call within `deadline`, stops both servers. Idempotent.
  void Shutdown(absl::Duration deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_STAGE_SERVER_H_
