// An HTTP server that no peer can hold up: the library's own has no limit on the lines of a head,
// the time of a request or the connections that wait.
#ifndef SERVICES_COMMON_RUNTIME_BOUNDED_HTTP_H_
#define SERVICES_COMMON_RUNTIME_BOUNDED_HTTP_H_

#include <atomic>
#include <cstddef>

#include "httplib.h"
#include "services/common/clock/clock.h"

namespace nightjar::runtime {

inline constexpr size_t kHttpThreads = 4;
// Connections that wait for a thread; further ones get 503 at once.
inline constexpr size_t kHttpWaitingMax = 16;
// Of a request; what is over is not read, and answered 400.
inline constexpr size_t kHttpRequestBytesMax = 16 << 10;
// For a request and its reply together, from when a thread takes it.
inline constexpr absl::Duration kHttpRequestMax = absl::Seconds(10);

// One request a connection. `clock` outlives it.
class BoundedHttpServer final : public httplib::Server {
 public:
  explicit BoundedHttpServer(Clock& clock);

  // As stop(), and waits no longer for requests that have not come: they must not hold up the end.
  void StopReading();

 private:
  bool process_and_close_socket(socket_t socket) override;

  Clock& clock_;
  std::atomic<bool> stopping_{false};
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_BOUNDED_HTTP_H_
