#include "services/common/rpc/flow_server.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "proto/telemetry/v1/telemetry_service.grpc.pb.h"
#include "services/common/rpc/credit_pool.h"
#include "services/common/rpc/grpc_status.h"
#include "services/common/rpc/server_stream.h"
#include "services/common/rpc/settings.h"
#include "services/common/rpc/source_memory.h"
#include "spdlog/spdlog.h"

namespace nightjar::rpc {
namespace {

using telemetry::v1::Ack;
using telemetry::v1::Batch;
using telemetry::v1::FlowRequest;
using telemetry::v1::Hello;
using telemetry::v1::Nack;
using telemetry::v1::OutcomeCount;

constexpr size_t kSourcesRememberedMax = 256;
constexpr size_t kSourceNameBytesMax = 256;
constexpr int kUnackedIdsMax = 4096;  // of one Hello
// When a batch that was not taken is to be sent again.
constexpr absl::Duration kRetryAfter = absl::Seconds(1);
// How long the streams may take to end once they are closed.
constexpr absl::Duration kCloseMax = absl::Seconds(2);

// Everything about one sender. Shared with the Done calls of its batches, which may come after it
// is forgotten.
struct Source {
  SourceMemory memory;
  CreditAccount credit;
  ServerStream* stream = nullptr;
  uint64_t last_used = 0;
};

absl::Status CheckHello(const FlowRequest& request) {
  if (!request.has_hello()) return absl::InvalidArgumentError("the first message must be Hello");
  const Hello& hello = request.hello();
  if (hello.protocol() != kFlowProtocol) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "protocol %d of the sender, this taker speaks %d", hello.protocol(), kFlowProtocol));
  }
  if (hello.source().empty() || hello.source().size() > kSourceNameBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("Hello.source of %d bytes, allowed 1 to %d",
                                                      hello.source().size(), kSourceNameBytesMax));
  }
  if (hello.unacked_size() > kUnackedIdsMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("Hello.unacked of %d ids, limit %d", hello.unacked_size(), kUnackedIdsMax));
  }
  return absl::OkStatus();
}

absl::Status CheckBatch(const Batch& batch, int64_t bytes) {
  if (batch.events_size() > kBatchEventsMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("batch of %d events, limit %d", batch.events_size(), kBatchEventsMax));
  }
  if (bytes > static_cast<int64_t>(kMessageBytesMax)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("batch of %d bytes encoded, limit %d", bytes, kMessageBytesMax));
  }
  return absl::OkStatus();
}

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
        pool_({options.credit_batches, static_cast<int64_t>(options.credit_bytes)}),
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
  bool FillAck(ServerStream& stream, Ack& ack) override;
  void OnGone(ServerStream& stream) override;

  ServerStream* Accept(grpc::CallbackServerContext& context);
  void TakeHello(ServerStream& stream, const Hello& hello);
  void TakeBatch(ServerStream& stream, BatchPtr message);
  std::shared_ptr<Source> Admit(ServerStream& stream, const Batch& batch, int64_t bytes);
  void End(const std::shared_ptr<Source>& source, uint64_t id, int64_t bytes, BatchResult result);
  static void Answer(Source& source, uint64_t id);
  void Detach(ServerStream& stream);
  std::shared_ptr<Source> FindSource(const std::string& name);
  void GrantAll();
  void RunTimers();
  absl::Duration NextTimer(ServerStream& stream) const;
  void OnTimer(ServerStream& stream);

  const FlowServerOptions options_;
  FlowHandler& handler_;
  const Security security_;
  Clock& clock_;
  Service service_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  bool draining_ = false;  // Shutdown has begun: no new stream, no more credit
  bool stopped_ = false;   // Shutdown has ended
  CreditPool pool_;
  std::map<std::string, std::shared_ptr<Source>> sources_;
  std::set<ServerStream*> streams_;                            // until gRPC is done with them
  std::map<ServerStream*, std::shared_ptr<Source>> attached_;  // after Hello, until they close
  uint64_t uses_ = 0;
  std::thread timer_;  // last: it uses everything above
};

ServerStream* FlowServer::Impl::Accept(grpc::CallbackServerContext& context) {
  const absl::Status allowed =
      security_.Authorize(*context.auth_context(), context.peer(), Role::kFlow);
  if (!allowed.ok()) spdlog::warn("flow refused: {}", std::string(allowed.message()));
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
  if (attached_.count(&stream) == 0) {
    const absl::Status valid = CheckHello(request);
    if (valid.ok()) {
      TakeHello(stream, request.hello());
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

void FlowServer::Impl::TakeHello(ServerStream& stream, const Hello& hello) {
  std::shared_ptr<Source> source = FindSource(hello.source());
  if (source->stream != nullptr) {
    // The sender has given its old stream up, whether we noticed or not.
    ServerStream& old = *source->stream;
    Detach(old);
    old.Close(grpc::Status(grpc::ABORTED, "replaced by a newer stream of this source"),
              /*flush=*/false);
  }
  const std::vector<uint64_t> have =
      source->memory.Resume({hello.unacked().begin(), hello.unacked().end()});
  source->stream = &stream;
  attached_.emplace(&stream, source);
  stream.SendHave(have);
  for (const uint64_t id : have) Answer(*source, id);
  GrantAll();
  stream.Pump();
}

void FlowServer::Impl::TakeBatch(ServerStream& stream, BatchPtr message) {
  const uint64_t id = message->batch().id();
  const int64_t bytes = static_cast<int64_t>(message->batch().ByteSizeLong());
  std::shared_ptr<Source> source;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    source = Admit(stream, message->batch(), bytes);
  }
  if (source == nullptr) return;
  if (absl::Status valid = CheckBatch(message->batch(), bytes); !valid.ok()) {
    End(source, id, bytes, {std::move(valid), {}});
    return;
  }
  handler_.OnBatch(std::move(message),
                   [self = shared_from_this(), source, id, bytes](BatchResult result) {
                     self->End(source, id, bytes, std::move(result));
                   });
}

// The source of a batch that is to be worked on; null when it is known already, or the stream is at
// its end.
std::shared_ptr<Source> FlowServer::Impl::Admit(ServerStream& stream, const Batch& batch,
                                                int64_t bytes) {
  const auto attached = attached_.find(&stream);
  if (attached == attached_.end() || stream.closing()) return nullptr;
  const std::shared_ptr<Source> source = attached->second;
  if (batch.id() == 0) {
    stream.Close(grpc::Status(grpc::INVALID_ARGUMENT, "Batch.id is 0"), /*flush=*/false);
    return nullptr;
  }
  if (!pool_.Spend(source->credit, bytes)) {
    const std::string text =
        absl::StrFormat("batch %d of %d bytes without credit (has %d, %d)", batch.id(), bytes,
                        source->credit.unused.batches, source->credit.unused.bytes);
    spdlog::warn("flow from {}: {}", stream.peer(), text);
    stream.Close(grpc::Status(grpc::RESOURCE_EXHAUSTED, text), /*flush=*/false);
    return nullptr;
  }
  const SourceMemory::Arrival arrival = source->memory.Arrive(batch.id());
  if (arrival == SourceMemory::Arrival::kNew) return source;
  pool_.Finish(source->credit, bytes);
  if (arrival == SourceMemory::Arrival::kEnded) Answer(*source, batch.id());
  GrantAll();
  stream.Pump();
  return nullptr;
}

void FlowServer::Impl::End(const std::shared_ptr<Source>& source, uint64_t id, int64_t bytes,
                           BatchResult result) {
  std::lock_guard<std::mutex> lock(mutex_);
  pool_.Finish(source->credit, bytes);
  const absl::StatusCode code = result.status.code();
  if (code == absl::StatusCode::kOk || code == absl::StatusCode::kAborted ||
      code == absl::StatusCode::kInvalidArgument) {
    source->memory.End(id, std::move(result));
    Answer(*source, id);
  } else {
    source->memory.Retry(id);
    if (source->stream != nullptr) {
      source->stream->SendNack(id, Nack::CODE_RETRY,
                               static_cast<uint32_t>(absl::ToInt64Milliseconds(kRetryAfter)),
                               std::string(result.status.message()));
    }
  }
  GrantAll();
  if (source->stream != nullptr) source->stream->Pump();
  changed_.notify_all();
}

// Tells the sender, if it is there, how batch `id` ended.
void FlowServer::Impl::Answer(Source& source, uint64_t id) {
  const BatchResult* result = source.memory.Result(id);
  if (source.stream == nullptr || result == nullptr) return;
  if (result->status.ok()) {
    source.stream->SendAck(id);
  } else {
    source.stream->SendNack(
        id, absl::IsAborted(result->status) ? Nack::CODE_FENCED : Nack::CODE_INVALID, 0,
        std::string(result->status.message()));
  }
}

bool FlowServer::Impl::FillAck(ServerStream& stream, Ack& ack) {
  const auto attached = attached_.find(&stream);
  if (attached == attached_.end()) return false;
  for (const uint64_t id : stream.acks()) {
    const BatchResult* result = attached->second->memory.Result(id);
    if (result == nullptr) continue;
    telemetry::v1::EndedBatch& ended = *ack.add_ended();
    ended.set_id(id);
    ended.mutable_counts()->Assign(result->counts.begin(), result->counts.end());
  }
  stream.ClearAcks();
  return true;
}

void FlowServer::Impl::OnGone(ServerStream& stream) {
  Detach(stream);
  streams_.erase(&stream);
  changed_.notify_all();
}

// The stream no longer stands for its source. What it did not use of its credit is free again;
// running batches keep theirs.
void FlowServer::Impl::Detach(ServerStream& stream) {
  const auto attached = attached_.find(&stream);
  if (attached == attached_.end()) return;
  Source& source = *attached->second;
  source.stream = nullptr;
  pool_.CloseStream(source.credit);
  attached_.erase(attached);
  GrantAll();
}

std::shared_ptr<Source> FlowServer::Impl::FindSource(const std::string& name) {
  std::shared_ptr<Source>& source = sources_[name];
  if (source == nullptr) source = std::make_shared<Source>();
  source->last_used = ++uses_;
  std::shared_ptr<Source> found = source;
  if (sources_.size() > kSourcesRememberedMax) {
    auto oldest = sources_.end();
    for (auto it = sources_.begin(); it != sources_.end(); ++it) {
      const bool busy = it->second->stream != nullptr || it->second->memory.running() > 0;
      if (busy || it->second == found) continue;
      if (oldest == sources_.end() || it->second->last_used < oldest->second->last_used) {
        oldest = it;
      }
    }
    if (oldest != sources_.end()) sources_.erase(oldest);
  }
  return found;
}

void FlowServer::Impl::GrantAll() {
  if (!open_ || draining_) return;
  for (auto& [stream, source] : attached_) {
    if (stream->closing()) continue;
    const CreditAmount amount = pool_.Grant(source->credit, attached_.size());
    if (amount.batches == 0 && amount.bytes == 0) continue;
    stream->SendCredit(amount);
    stream->Pump();
  }
}

void FlowServer::Impl::SetOpen(bool open) {
  std::lock_guard<std::mutex> lock(mutex_);
  open_ = open;
  GrantAll();
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
  const bool attached = attached_.count(&stream) != 0;
  if (!stream.closing()) next = stream.last_received() + options_.silence_max;
  if (stream.writing()) {
    next = std::min(next, stream.last_written() + options_.silence_max);
  } else if (attached && !stream.closing()) {
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
    Detach(stream);
  } else {
    stream.SendHeartbeat();
    stream.Pump();
  }
}

void FlowServer::Impl::Shutdown(absl::Duration deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  draining_ = true;
  for (auto& [stream, source] : attached_) {
    stream->SendDrain();
    stream->Pump();
  }
  clock_.WaitFor(lock, changed_, deadline, [&] { return pool_.unfinished().batches == 0; });
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
  state.streams = attached_.size();
  state.unused_batches = pool_.unused().batches;
  state.unused_bytes = pool_.unused().bytes;
  state.unfinished_batches = pool_.unfinished().batches;
  state.unfinished_bytes = pool_.unfinished().bytes;
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
