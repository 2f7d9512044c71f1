#include "services/common/runtime/status_watches.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/common/runtime/stream_writer.h"

namespace nightjar::runtime {
namespace {

using admin::v1::StageStatus;

constexpr size_t kWatchesMax = 64;
constexpr size_t kQueueMessagesMax = 2;  // one being written, one next: old ones are of no use
constexpr size_t kQueueBytesMax = 4 << 20;
constexpr uint32_t kIntervalMinMs = 200;
constexpr uint32_t kIntervalMaxMs = 60'000;
constexpr uint32_t kIntervalDefaultMs = 1'000;

}  // namespace

class StatusWatches::Watch final : public StreamWriter<StageStatus> {
 public:
  explicit Watch(StatusWatches& watches)
      : StreamWriter(kQueueMessagesMax, kQueueBytesMax), watches_(watches) {}

  void OnDone() override {
    watches_.Remove(this);
    StreamWriter::OnDone();
  }

 private:
  StatusWatches& watches_;
};

StatusWatches::StatusWatches(const StageMonitor& monitor)
    : monitor_(monitor), thread_([this] { Run(); }) {}

StatusWatches::~StatusWatches() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

grpc::ServerWriteReactor<StageStatus>* StatusWatches::Add(
    const admin::v1::WatchStatusRequest& request) {
  const auto refuse = [](grpc::StatusCode code, const std::string& text) {
    return new RefusedStream<StageStatus>(grpc::Status(code, text));
  };
  const uint32_t interval_ms =
      request.interval_ms() == 0 ? kIntervalDefaultMs : request.interval_ms();
  if (interval_ms < kIntervalMinMs || interval_ms > kIntervalMaxMs) {
    return refuse(grpc::StatusCode::INVALID_ARGUMENT,
                  absl::StrCat("interval_ms is ", interval_ms, "; it must be ", kIntervalMinMs,
                               " to ", kIntervalMaxMs));
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (ended_) return refuse(grpc::StatusCode::UNAVAILABLE, "the stage is stopping");
  if (watches_.size() >= kWatchesMax) {
    return refuse(grpc::StatusCode::RESOURCE_EXHAUSTED,
                  absl::StrCat("there are ", kWatchesMax, " watches already"));
  }
  auto* watch = new Watch(*this);
  const absl::Duration interval = absl::Milliseconds(interval_ms);
  watches_[watch] = {interval, monitor_.clock().Monotonic() + interval};
  watch->Push(monitor_.Status());
  rescheduled_ = true;
  changed_.notify_all();
  return watch;
}

void StatusWatches::EndAll() {
  std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  for (auto& [watch, schedule] : watches_) {
    watch->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the stage is stopping"));
  }
}

void StatusWatches::Remove(Watch* watch) {
  std::lock_guard<std::mutex> lock(mutex_);
  watches_.erase(watch);
}

void StatusWatches::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const absl::Duration now = monitor_.clock().Monotonic();
    absl::Duration next = absl::InfiniteDuration();
    for (auto& [watch, schedule] : watches_) {
      if (schedule.due <= now) {
        watch->Push(monitor_.Status());
        schedule.due = now + schedule.interval;
      }
      next = std::min(next, schedule.due);
    }
    rescheduled_ = false;
    monitor_.clock().WaitFor(lock, changed_, next - now,
                             [this] { return stopping_ || rescheduled_; });
  }
}

}  // namespace nightjar::runtime
