// How many calls a server is at work on.
#ifndef SERVICES_COMMON_RUNTIME_OPEN_CALLS_H_
#define SERVICES_COMMON_RUNTIME_OPEN_CALLS_H_

#include <condition_variable>
#include <memory>
#include <mutex>

#include "absl/time/time.h"
#include "grpcpp/support/server_interceptor.h"
#include "services/common/clock/clock.h"

namespace nightjar::runtime {

// Counts unary and server-streaming calls. Not health's Watch, which only its client ends; and not
// bidirectional streams: their owner ends them (FlowServer::Shutdown), and the telemetry on them is
// not to be held up. Thread-safe.
class OpenCalls {
 public:
  OpenCalls();

  // For ServerBuilder. The server may outlive this object.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> Counter() const;

  // False: some were still open after `timeout`.
  bool WaitForNone(absl::Duration timeout, Clock& clock);

 private:
  struct Count {
    std::mutex mutex;
    std::condition_variable changed;
    int open = 0;
  };
  class Call;
  class Factory;

  const std::shared_ptr<Count> count_;
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_OPEN_CALLS_H_
