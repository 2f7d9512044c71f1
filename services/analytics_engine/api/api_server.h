// The engine's API over HTTP or HTTPS: the AlphaSOC API v1, as far as an engine of one's own goes.
#ifndef SERVICES_ANALYTICS_ENGINE_API_API_SERVER_H_
#define SERVICES_ANALYTICS_ENGINE_API_API_SERVER_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/analytics_engine/api/api_certificate.h"
#include "services/analytics_engine/api/api_handler.h"
#include "services/common/runtime/listen_address.h"

namespace httplib {
class Server;
}

namespace nightjar::analytics_engine {

inline constexpr size_t kApiThreads = 32;           // connections served at a time
inline constexpr time_t kApiIdleSeconds = 5;        // a connection without a request
inline constexpr time_t kApiReadWriteSeconds = 10;  // without a byte moving
inline constexpr absl::Duration kApiDrainMax = absl::Seconds(15);
inline constexpr size_t kApiBodyBytesMax = 10 << 20;  // as sent, and after decompression

struct ApiServerOptions {
  runtime::ListenAddress listen;
  // PEM; both empty: plain HTTP.
  std::string certificate_file, key_file;
};

// Request line and header lines: 8 KiB each at most. `handler` outlives it. Not thread-safe.
class ApiServer {
 public:
  explicit ApiServer(ApiHandler& handler);
  ~ApiServer();

  // Serves on its own threads once this returned; gives the address with the port bound. Exit code
  // 78 when it cannot be, or the certificate does not load.
  absl::StatusOr<std::string> Start(const ApiServerOptions& options);
  // Shows the certificate of these files from the next handshake on, if the API has one at all. An
  // error leaves the one before.
  absl::Status ReloadCertificate();
  // Finishes running requests for up to kApiDrainMax, then cuts their connections; those that idle
  // end within kApiIdleSeconds. Idempotent, works unstarted.
  void Shutdown();

 private:
  ApiHandler& handler_;
  ApiServerOptions options_;
  ApiCertificate certificate_;
  std::unique_ptr<httplib::Server> server_;
  int port_ = -1;  // bound
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;  // the thread has no connection left; guarded by mutex_
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_API_SERVER_H_
