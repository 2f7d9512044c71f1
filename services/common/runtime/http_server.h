// HTTP for probes and Prometheus: GET /metrics, /healthz (the process lives), /readyz (200 or 503
// with the reason).
#ifndef SERVICES_COMMON_RUNTIME_HTTP_SERVER_H_
#define SERVICES_COMMON_RUNTIME_HTTP_SERVER_H_

#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "services/common/metrics/metrics.h"
#include "services/common/runtime/listen_address.h"
#include "services/common/runtime/stage_metrics.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::runtime {

class BoundedHttpServer;

// One request a connection, no request bodies; the limits are those of bounded_http.h. What
// is passed in outlives it. Not thread-safe.
class HttpServer {
 public:
  HttpServer(const metrics::Metrics& metrics, StageMetrics& stage_metrics,
             const StageMonitor& monitor);
  ~HttpServer();

  // Serves on its own threads once this returned; gives the port bound. Exit code 78 when it cannot
  // be.
  absl::StatusOr<int> Start(const ListenAddress& address);
  // Finishes running requests. Idempotent, works unstarted.
  void Shutdown();

 private:
  const std::unique_ptr<BoundedHttpServer> server_;
  std::thread thread_;
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_HTTP_SERVER_H_
