#include "services/common/runtime/open_calls.h"

#include <utility>

#include "absl/strings/string_view.h"

namespace nightjar::runtime {

using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

// gRPC deletes it when the call has ended.
class OpenCalls::Call final : public grpc::experimental::Interceptor {
 public:
  explicit Call(std::shared_ptr<Count> count) : count_(std::move(count)) {
    std::lock_guard<std::mutex> lock(count_->mutex);
    ++count_->open;
  }
  ~Call() override {
    std::lock_guard<std::mutex> lock(count_->mutex);
    if (--count_->open == 0) count_->changed.notify_all();
  }
  void Intercept(InterceptorBatchMethods* methods) override { methods->Proceed(); }

 private:
  const std::shared_ptr<Count> count_;
};

class OpenCalls::Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(std::shared_ptr<Count> count) : count_(std::move(count)) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    const bool counts = info->type() != ServerRpcInfo::Type::BIDI_STREAMING &&
                        absl::string_view(info->method()) != "/grpc.health.v1.Health/Watch";
    return counts ? new Call(count_) : nullptr;
  }

 private:
  const std::shared_ptr<Count> count_;
};

OpenCalls::OpenCalls() : count_(std::make_shared<Count>()) {}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> OpenCalls::Counter() const {
  return std::make_unique<Factory>(count_);
}

bool OpenCalls::WaitForNone(absl::Duration timeout, Clock& clock) {
  std::unique_lock<std::mutex> lock(count_->mutex);
  return clock.WaitFor(lock, count_->changed, timeout, [this] { return count_->open == 0; });
}

}  // namespace nightjar::runtime
