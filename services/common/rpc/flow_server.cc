#include "services/common/rpc/flow_server.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "proto/telemetry/v1/telemetry_service.grpc.pb.h"
#include "services/common/rpc/flow_ledger.h"
#include "services/common/rpc/grpc_status.h"
#include "services/common/rpc/log_quota.h"
#include "services/common/rpc/message_check.h"
#include "services/common/rpc/server_stream.h"
#include "services/common/rpc/settings.h"
#include "spdlog/spdlog.h"

namespace nightjar::rpc {
namespace {

using telemetry::v1::FlowRequest;

// How long the streams may take to end once they are closed.
constexpr absl::Duration kCloseMax = absl::Seconds(2);

}  // namespace

// Everything is guarded by mutex_ but what is const. Shared with the Done calls, which may outlive
// the FlowServer.
class FlowServer::Impl final : public ServerStream::Owner,
                               public std::enable_shared_from_this<FlowServer::Impl> {
 public:
  Impl(FlowServerOptions options, FlowHandler& handler, const Security& security, Clock& clock)
      : options_(options),
        handler_(handler),
        security_(security),
        clock_(clock),
        service_(*this),
        ledger_({options.credit_batches, static_cast<int64_t>(options.credit_bytes)}),
        timer_([this] { RunTimers(); }) {
    PinCallbackQueue();
  }

  grpc::Service& service() { return service_; }
  void SetOpen(bool open);
  void Shutdown(absl::Duration deadline);
  State state() const;

 private:
  class Service final : public telemetry::v1::Telemetry::CallbackService {
   public:
    explicit Service(Impl& impl) : impl_(impl) {}
    grpc::ServerBidiReactor<FlowRequest, telemetry::v1::FlowResponse>* Flow(
        grpc::CallbackServerContext* context) override {
      return impl_.Accept(*context);
    }

   private:
    Impl& impl_;
  };

  // ServerStream::Owner
  void OnMessage(ServerStream& stream, BatchPtr message) override;
  bool FillAck(ServerStream& stream, telemetry::v1::Ack& ack) override {
    return ledger_.FillAck(stream, ack);
  }
  void OnGone(ServerStream& stream) override;

  ServerStream* Accept(grpc::CallbackServerContext& context);
  void TakeBatch(ServerStream& stream, BatchPtr message);
  void End(FlowSource& source, uint64_t id, int64_t bytes, BatchResult result);
  void RunTimers();
  absl::Duration NextTimer(ServerStream& stream) const;
  void OnTimer(ServerStream& stream);

  const FlowServerOptions options_;
  FlowHandler& handler_;
  const Security security_;
  Clock& clock_;
  LogQuota refusals_{clock_};
  Service service_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool draining_ = false;  // Shutdown has begun: no new stream
  bool stopped_ = false;   // Shutdown has ended
  FlowLedger ledger_;
  std::set<ServerStream*> streams_;  // until gRPC is done with them
  std::thread timer_;                // last: it uses everything above
};

ServerStream* FlowServer::Impl::Accept(grpc::CallbackServerContext& context) {
  const absl::Status allowed =
      security_.Authorize(*context.auth_context(), context.peer(), Role::kFlow);
  if (!allowed.ok()) {
    if (const auto others = refusals_.Take()) {
      spdlog::warn("flow refused: {}{}", std::string(allowed.message()), *others);
    }
  }
  std::lock_guard<std::mutex> lock(mutex_);
  auto* stream = new ServerStream(mutex_, *this, clock_, context);
  streams_.insert(stream);
  if (!allowed.ok()) {
    stream->Close(ToGrpc(allowed), /*flush=*/false);
  } else if (draining_) {
    stream->Close(grpc::Status(grpc::UNAVAILABLE, "the taker is stopping"), /*flush=*/false);
  } else {
    stream->Start();
  }
  return stream;
}

void FlowServer::Impl::OnMessage(ServerStream& stream, BatchPtr message) {
  const FlowRequest& request = message->request();
  std::unique_lock<std::mutex> lock(mutex_);
  if (stream.closing()) return;
  if (!ledger_.attached(stream)) {
    const absl::Status valid = CheckHello(request);
    if (valid.ok()) {
      ledger_.Attach(stream, request.hello());
    } else {
      stream.Close(ToGrpc(valid), /*flush=*/false);
    }
    return;
  }
  switch (request.message_case()) {
    case FlowRequest::kBatch:
      lock.unlock();
      TakeBatch(stream, std::move(message));
      break;
    case FlowRequest::kDurable:
      lock.unlock();
      handler_.OnDurable(request.durable());
      break;
    case FlowRequest::kHeartbeat:
    case FlowRequest::kDrain:  // a batch put off may still come again, so its credit is kept
      break;
    case FlowRequest::kHello:
    case FlowRequest::MESSAGE_NOT_SET:
      stream.Close(grpc::Status(grpc::INVALID_ARGUMENT, "a second Hello, or an unknown message"),
                   /*flush=*/false);
      break;
  }
}

void FlowServer::Impl::TakeBatch(ServerStream& stream, BatchPtr message) {
  const uint64_t id = message->batch().id();
  const int64_t bytes = static_cast<int64_t>(message->batch().ByteSizeLong());
  std::shared_ptr<FlowSource> source;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    source = ledger_.Admit(stream, message->batch(), bytes);
  }
  if (source == nullptr) return;
  if (absl::Status valid = CheckBatch(message->batch(), static_cast<size_t>(bytes)); !valid.ok()) {
    End(*source, id, bytes, {std::move(valid), {}});
    return;
  }
  handler_.OnBatch(std::move(message),
                   [self = shared_from_this(), source, id, bytes](BatchResult result) {
                     self->End(*source, id, bytes, std::move(result));
                   });
}

void FlowServer::Impl::End(FlowSource& source, uint64_t id, int64_t bytes, BatchResult result) {
  std::lock_guard<std::mutex> lock(mutex_);
  ledger_.End(source, id, bytes, std::move(result));
  changed_.notify_all();
}

void FlowServer::Impl::OnGone(ServerStream& stream) {
  ledger_.Detach(stream);
  streams_.erase(&stream);
  changed_.notify_all();
}

void FlowServer::Impl::SetOpen(bool open) {
  std::lock_guard<std::mutex> lock(mutex_);
  ledger_.SetOpen(open);
}

void FlowServer::Impl::RunTimers() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopped_) {
    // Nothing that begins meanwhile, a stream or a quiet time after a write, is due before this.
    absl::Duration next = clock_.Monotonic() + options_.heartbeat_interval;
    for (ServerStream* stream : streams_) next = std::min(next, NextTimer(*stream));
    const absl::Duration wait = std::max(next - clock_.Monotonic(), absl::ZeroDuration());
    clock_.WaitFor(lock, changed_, wait, [&] { return stopped_; });
    // Closing a stream never removes it from streams_ at once: OnGone wants the lock.
    for (ServerStream* stream : streams_) {
      if (NextTimer(*stream) <= clock_.Monotonic()) OnTimer(*stream);
    }
  }
}

// Every timer that is due must be gone after OnTimer, or the thread would spin.
absl::Duration FlowServer::Impl::NextTimer(ServerStream& stream) const {
  absl::Duration next = absl::InfiniteDuration();
  if (stream.cancelled()) return next;
  if (!stream.closing()) next = stream.last_received() + options_.silence_max;
  if (stream.writing()) {
    next = std::min(next, stream.last_written() + options_.silence_max);
  } else if (ledger_.attached(stream) && !stream.closing()) {
    next = std::min(next, stream.last_written() + options_.heartbeat_interval);
  }
  return next;
}

void FlowServer::Impl::OnTimer(ServerStream& stream) {
  const absl::Duration now = clock_.Monotonic();
  if (stream.writing() && now - stream.last_written() >= options_.silence_max) {
    stream.Cancel();
  } else if (!stream.closing() && now - stream.last_received() >= options_.silence_max) {
    spdlog::warn("flow from {}: silent for {}, closed", stream.peer(),
                 absl::FormatDuration(options_.silence_max));
    stream.Close(grpc::Status(grpc::DEADLINE_EXCEEDED, "the sender was silent for too long"),
                 /*flush=*/false);
    ledger_.Detach(stream);
  } else {
    stream.SendHeartbeat();
    stream.Pump();
  }
}

void FlowServer::Impl::Shutdown(absl::Duration deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  draining_ = true;
  ledger_.Drain();
  clock_.WaitFor(lock, changed_, deadline, [&] { return ledger_.unfinished().batches == 0; });
  for (ServerStream* stream : streams_) stream->Close(grpc::Status::OK, /*flush=*/true);
  clock_.WaitFor(lock, changed_, kCloseMax, [&] { return streams_.empty(); });
  for (ServerStream* stream : streams_) stream->Cancel();
  changed_.wait(lock, [&] { return streams_.empty(); });
  stopped_ = true;
  changed_.notify_all();
  lock.unlock();
  if (timer_.joinable()) timer_.join();
}

FlowServer::State FlowServer::Impl::state() const {
  std::lock_guard<std::mutex> lock(mutex_);
  State state;
  state.streams = ledger_.streams();
  state.unused_batches = ledger_.unused().batches;
  state.unused_bytes = ledger_.unused().bytes;
  state.unfinished_batches = ledger_.unfinished().batches;
  state.unfinished_bytes = ledger_.unfinished().bytes;
  return state;
}

FlowServer::FlowServer(FlowServerOptions options, FlowHandler& handler, const Security& security,
                       Clock& clock)
    : impl_(std::make_shared<Impl>(options, handler, security, clock)) {}

FlowServer::~FlowServer() { Shutdown(absl::ZeroDuration()); }

grpc::Service& FlowServer::service() { return impl_->service(); }

void FlowServer::SetOpen(bool open) { impl_->SetOpen(open); }

void FlowServer::Shutdown(absl::Duration deadline) { impl_->Shutdown(deadline); }

FlowServer::State FlowServer::state() const { return impl_->state(); }

}  // namespace nightjar::rpc
