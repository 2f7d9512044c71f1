#include "services/common/runtime/http_server.h"

#include "absl/strings/str_cat.h"
#include "httplib.h"
#include "services/common/runtime/bounded_http.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::runtime {
namespace {

constexpr time_t kTimeoutSeconds = 5;

constexpr char kText[] = "text/plain; charset=utf-8";

// Without the library's SO_REUSEPORT, which would let two processes share a port without a word.
void SetSocketOptions(int fd) {
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

}  // namespace

HttpServer::HttpServer(const metrics::Metrics& metrics, StageMetrics& stage_metrics,
                       const StageMonitor& monitor)
    : server_(std::make_unique<BoundedHttpServer>(SystemClock())) {
  server_->set_socket_options(SetSocketOptions);
  server_->Get("/metrics",
               [&metrics, &stage_metrics](const httplib::Request&, httplib::Response& response) {
                 stage_metrics.Refresh();
                 response.set_content(metrics.Render(), "text/plain; version=0.0.4; charset=utf-8");
               });
  server_->Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("ok\n", kText);
  });
  server_->Get("/readyz", [&monitor](const httplib::Request&, httplib::Response& response) {
    const admin::v1::StageStatus status = monitor.Status();
    const bool ready = monitor.ready();
    if (!ready) response.status = 503;
    const bool fine = ready && status.state() != admin::v1::STATE_DEGRADED;
    response.set_content(
        fine ? "ok\n" : absl::StrCat(ready ? "ok, though degraded: " : "", status.reason(), "\n"),
        kText);
  });
}

HttpServer::~HttpServer() { Shutdown(); }

absl::StatusOr<int> HttpServer::Start(const ListenAddress& address) {
  RETURN_IF_ERROR(CheckCanListen(address, "HTTP"));
  int port = address.port;
  if (port == 0) {
    port = server_->bind_to_any_port(address.host);
  } else if (!server_->bind_to_port(address.host, port)) {
    port = -1;
  }
  if (port < 0) {
    return ConfigError(absl::StrCat("cannot listen on ", address.ToString(), " for HTTP"));
  }
  thread_ = std::thread([this] { server_->listen_after_bind(); });
  // An answer shows that the loop runs; only then can stop() be relied on.
  httplib::Client self(address.host, port);
  self.set_connection_timeout(kTimeoutSeconds);
  self.set_read_timeout(kTimeoutSeconds);
  if (!self.Get("/healthz")) {
    return absl::InternalError(
        absl::StrCat("the HTTP server on ", address.ToString(), " does not answer"));
  }
  return port;
}

void HttpServer::Shutdown() {
  server_->StopReading();
  if (thread_.joinable()) thread_.join();
}

}  // namespace nightjar::runtime
