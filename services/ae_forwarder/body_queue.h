// Bodies waiting for a poster.
#ifndef SERVICES_AE_FORWARDER_BODY_QUEUE_H_
#define SERVICES_AE_FORWARDER_BODY_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

#include "services/ae_forwarder/body.h"

namespace nightjar::ae_forwarder {

// First in, first out. Thread-safe.
class BodyQueue {
 public:
  explicit BodyQueue(size_t bodies_max) : bodies_max_(bodies_max) {}

  // Waits while full. A body given after Close is dropped: its events have not ended.
  void Push(BodyPtr body) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || bodies_.size() < bodies_max_; });
    if (closed_) return;
    bodies_.push_back(std::move(body));
    ++unfinished_;
    changed_.notify_all();
  }

  // Waits while empty. Null once closed.
  BodyPtr Pop() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !bodies_.empty(); });
    if (closed_) return nullptr;
    BodyPtr body = std::move(bodies_.front());
    bodies_.pop_front();
    changed_.notify_all();
    return body;
  }

  // The taker of a body is through with it.
  void Finished() {
    std::lock_guard<std::mutex> lock(mutex_);
    --unfinished_;
  }

  // True when no body waits and none is being worked on.
  bool idle() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return unfinished_ == 0;
  }

  void Close() {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    bodies_.clear();
    changed_.notify_all();
  }

 private:
  const size_t bodies_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<BodyPtr> bodies_;
  size_t unfinished_ = 0;
  bool closed_ = false;
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_BODY_QUEUE_H_
