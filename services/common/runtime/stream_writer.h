// The sending end of a streaming admin call: a bounded queue in front of gRPC's one write at a
// time.
#ifndef SERVICES_COMMON_RUNTIME_STREAM_WRITER_H_
#define SERVICES_COMMON_RUNTIME_STREAM_WRITER_H_

#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

#include "grpcpp/support/server_callback.h"

namespace nightjar::runtime {

// Created by the service for one call; deletes itself when gRPC is done with it. Thread-safe.
template <typename Message>
class StreamWriter : public grpc::ServerWriteReactor<Message> {
 public:
  StreamWriter(size_t messages_max, size_t bytes_max)
      : messages_max_(messages_max), bytes_max_(bytes_max) {}

  // False when there is no room (the peer is slow) or the call has ended: the message is dropped.
  // Never waits.
  bool Push(Message message) {
    const size_t bytes = message.ByteSizeLong();
    std::lock_guard<std::mutex> lock(mutex_);
    if (ended_ || queue_.size() >= messages_max_ || bytes > bytes_max_ - bytes_) return false;
    bytes_ += bytes;
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) this->StartWrite(&queue_.front());
    return true;
  }

  void End(const grpc::Status& status) {
    std::lock_guard<std::mutex> lock(mutex_);
    EndLocked(status);
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!ok) EndLocked(grpc::Status::CANCELLED);
    if (ended_) return;
    bytes_ -= queue_.front().ByteSizeLong();
    queue_.pop_front();
    if (!queue_.empty()) this->StartWrite(&queue_.front());
  }
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 protected:
  ~StreamWriter() override = default;

 private:
  void EndLocked(const grpc::Status& status) {
    if (!std::exchange(ended_, true)) this->Finish(status);
  }

  const size_t messages_max_;
  const size_t bytes_max_;
  std::mutex mutex_;
  std::deque<Message> queue_;  // the first is being written
  size_t bytes_ = 0;           // encoded, of queue_
  bool ended_ = false;
};

// Ends a call before it began.
template <typename Message>
class RefusedStream final : public grpc::ServerWriteReactor<Message> {
 public:
  explicit RefusedStream(const grpc::Status& status) { this->Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_STREAM_WRITER_H_
