// The WatchStatus calls of one stage, each served at its own interval by one thread.
#ifndef SERVICES_COMMON_RUNTIME_STATUS_WATCHES_H_
#define SERVICES_COMMON_RUNTIME_STATUS_WATCHES_H_

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "grpcpp/support/server_callback.h"
#include "proto/admin/v1/stage.pb.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::runtime {

// Thread-safe. `monitor` outlives it, and it outlives its calls.
class StatusWatches {
 public:
  explicit StatusWatches(const StageMonitor& monitor);
  ~StatusWatches();

  // The reactor of a new call: a status at once, then one each interval; a peer that is slow misses
  // some. Ends with INVALID_ARGUMENT, RESOURCE_EXHAUSTED (64 watches) or UNAVAILABLE (EndAll was
  // called).
  grpc::ServerWriteReactor<admin::v1::StageStatus>* Add(
      const admin::v1::WatchStatusRequest& request);

  // Ends the running calls and refuses new ones.
  void EndAll();

 private:
  class Watch;
  struct Schedule {
    absl::Duration interval;
    absl::Duration due;  // monotonic
  };

  void Remove(Watch* watch);
  void Run();

  const StageMonitor& monitor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Watch*, Schedule> watches_;
  bool rescheduled_ = false;  // the thread must look again
  bool ended_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_STATUS_WATCHES_H_
