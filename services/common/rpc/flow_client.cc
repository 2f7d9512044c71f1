#include "services/common/rpc/flow_client.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "services/common/rpc/client_stream.h"
#include "services/common/rpc/flow_channels.h"
#include "services/common/rpc/grpc_status.h"
#include "services/common/rpc/message_check.h"
#include "services/common/rpc/outbox.h"
#include "services/common/rpc/tls_credentials.h"
#include "services/common/status/check.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::rpc {
namespace {

using telemetry::v1::FlowRequest;
using telemetry::v1::FlowResponse;

// How long a closed stream may take to end by itself.
constexpr absl::Duration kCloseMax = absl::Seconds(1);

}  // namespace

// Everything is guarded by mutex_ but what is const. One thread keeps the stream and the timers;
// Send and the stream's reactions do the work.
class FlowClient::Impl final : public ClientStream::Owner {
 public:
  Impl(FlowClientOptions options, std::shared_ptr<const FlowChannels> channels, size_t home,
       Clock& clock)
      : options_(std::move(options)),
        channels_(std::move(channels)),
        home_(home),
        clock_(clock),
        rotation_(options_.rotation) {}

  void Start() {
    std::lock_guard<std::mutex> lock(mutex_);
    CHECK(!thread_.joinable());
    if (!stopping_) thread_ = std::thread([this] { Run(); });
  }

  absl::Status Send(BatchPtr batch, OnEnded on_ended);
  uint32_t room() const;
  bool TrySend(BatchPtr& batch, size_t bytes_without_id, OnEnded& on_ended);
  void SendDurable(telemetry::v1::Durable durable);
  void Shutdown(absl::Duration deadline);
  State state() const;

 private:
  // ClientStream::Owner
  std::shared_ptr<const FlowRequest> NextWrite() override;
  void OnResponse(const FlowResponse& response) override;
  void OnClosed(const grpc::Status& status) override;

  void Run();
  void RunStream(std::unique_lock<std::mutex>& lock);
  absl::Duration NextTimer() const;
  void OnTimer();
  std::shared_ptr<const FlowRequest> NextBatch();
  void TakeHave(const telemetry::v1::Have& have);
  absl::Duration ReconnectDelay();
  const std::string& address() const { return channels_->address(at_); }
  // There is a taker that takes new batches.
  bool open() const { return connected_ && !peer_drains_ && !rotation_.retiring(); }
  void NotifyRoom();
  void LeaveIfRetired();

  const FlowClientOptions options_;
  const std::shared_ptr<const FlowChannels> channels_;
  const size_t home_;
  Clock& clock_;

  std::mutex shutdown_mutex_;  // held for the whole of Shutdown, before mutex_
  mutable std::mutex mutex_;
  std::condition_variable changed_;   // for the thread and Shutdown
  std::condition_variable sendable_;  // for Send
  std::thread thread_;
  bool stopping_ = false;  // no new batches
  bool closed_ = false;    // no new stream
  bool timers_changed_ = false;

  Outbox outbox_;
  RotationTimer rotation_;

  // Of the present stream.
  size_t at_ = 0;  // its channel
  ClientStream* stream_ = nullptr;
  bool hello_written_ = false;
  bool connected_ = false;  // the taker has answered Hello
  bool peer_drains_ = false;
  bool drain_written_ = false;
  bool heartbeat_due_ = false;
  std::string cancelled_for_;                               // why we broke it off
  std::map<std::string, telemetry::v1::Durable> durables_;  // by epoch, the newest covers all

  bool said_away_ = false;  // since the last connection
  size_t hops_ = 0;         // channels tried since then
  int failures_ = 0;        // reconnects in a row
  std::string error_ = "not connected yet";
  uint64_t reconnects_ = 0;
  absl::BitGen random_;
};

absl::Status FlowClient::Impl::Send(BatchPtr batch, OnEnded on_ended) {
  batch->batch().clear_id();
  const size_t bytes_without_id = batch->batch().ByteSizeLong();
  RETURN_IF_ERROR(CheckBatch(batch->batch(), bytes_without_id));
  std::unique_lock<std::mutex> lock(mutex_);
  sendable_.wait(lock, [&] { return stopping_ || (open() && outbox_.CanTake(bytes_without_id)); });
  if (stopping_) return absl::CancelledError("the sender is stopping");
  outbox_.Take(std::move(batch), bytes_without_id, std::move(on_ended));
  stream_->Pump();
  return absl::OkStatus();
}

uint32_t FlowClient::Impl::room() const {
  std::lock_guard<std::mutex> lock(mutex_);
  const bool takes = !stopping_ && open() && outbox_.CanTake(0);
  return takes ? static_cast<uint32_t>(outbox_.credit().batches) : 0;
}

bool FlowClient::Impl::TrySend(BatchPtr& batch, size_t bytes_without_id, OnEnded& on_ended) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopping_ || !open() || !outbox_.CanTake(bytes_without_id)) return false;
  outbox_.Take(std::move(batch), bytes_without_id, std::move(on_ended));
  stream_->Pump();
  return true;
}

void FlowClient::Impl::NotifyRoom() {
  sendable_.notify_all();
  if (options_.on_room) options_.on_room();
}

void FlowClient::Impl::SendDurable(telemetry::v1::Durable durable) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!connected_) return;
  std::string epoch = durable.epoch();
  durables_[std::move(epoch)] = std::move(durable);
  stream_->Pump();
}

void FlowClient::Impl::Shutdown(absl::Duration deadline) {
  std::lock_guard<std::mutex> only(shutdown_mutex_);
  std::unique_lock<std::mutex> lock(mutex_);
  stopping_ = true;
  sendable_.notify_all();
  if (!thread_.joinable()) return;
  if (stream_ != nullptr) stream_->Pump();  // Drain
  clock_.WaitFor(lock, changed_, deadline, [&] { return outbox_.empty(); });
  closed_ = true;
  changed_.notify_all();
  if (stream_ != nullptr) {
    // What is unacked now is not waited for, so there is nothing to be polite about.
    if (outbox_.empty() && connected_) {
      stream_->HalfClose();
      clock_.WaitFor(lock, changed_, kCloseMax, [&] { return stream_ == nullptr; });
    }
    if (stream_ != nullptr) {
      cancelled_for_ = "the sender is stopping";
      stream_->Cancel();
    }
  }
  lock.unlock();
  thread_.join();
}

FlowClient::State FlowClient::Impl::state() const {
  std::lock_guard<std::mutex> lock(mutex_);
  State state;
  state.connected = connected_;
  state.error = connected_ ? "" : error_;
  state.credit_batches = static_cast<uint32_t>(outbox_.credit().batches);
  state.credit_bytes = static_cast<uint64_t>(std::max<int64_t>(outbox_.credit().bytes, 0));
  state.unacked_batches = outbox_.size();
  state.resent_batches = outbox_.resent();
  state.reconnects = reconnects_;
  return state;
}

void FlowClient::Impl::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!closed_) {
    RunStream(lock);
    clock_.WaitFor(lock, changed_, ReconnectDelay(), [&] { return closed_; });
    ++reconnects_;
  }
}

// One stream from its beginning to its end.
void FlowClient::Impl::RunStream(std::unique_lock<std::mutex>& lock) {
  hello_written_ = peer_drains_ = drain_written_ = heartbeat_due_ = false;
  cancelled_for_ = "";
  at_ = (home_ + hops_) % channels_->size();
  stream_ = new ClientStream(mutex_, *this, clock_);
  stream_->Start(channels_->stub(at_));
  while (stream_ != nullptr) {
    // A write that ends meanwhile brings its heartbeat timer back: do not sleep past that.
    const absl::Duration wait =
        std::min(NextTimer() - clock_.Monotonic(), options_.heartbeat_interval);
    clock_.WaitFor(lock, changed_, std::max(wait, absl::ZeroDuration()),
                   [&] { return stream_ == nullptr || timers_changed_; });
    timers_changed_ = false;
    if (stream_ != nullptr && NextTimer() <= clock_.Monotonic()) OnTimer();
  }
}

// Every timer that is due must be gone after OnTimer, or the thread would spin.
absl::Duration FlowClient::Impl::NextTimer() const {
  if (!cancelled_for_.empty()) return absl::InfiniteDuration();  // the stream ends by itself now
  absl::Duration next = stream_->last_received() + options_.silence_max;
  if (stream_->writing()) {
    next = std::min(next, stream_->last_written() + options_.silence_max);
  } else if (stream_->writable()) {
    next = std::min(next, stream_->last_written() + options_.heartbeat_interval);
  }
  return std::min({next, outbox_.NextPutOff(), rotation_.due()});
}

void FlowClient::Impl::OnTimer() {
  const absl::Duration now = clock_.Monotonic();
  if (now - stream_->last_received() >= options_.silence_max) {
    cancelled_for_ = "silent for " + absl::FormatDuration(options_.silence_max);
  } else if (stream_->writing() && now - stream_->last_written() >= options_.silence_max) {
    cancelled_for_ = "takes nothing for " + absl::FormatDuration(options_.silence_max);
  }
  if (!cancelled_for_.empty()) {
    stream_->Cancel();
    return;
  }
  if (rotation_.due() <= now) {
    rotation_.OnDue(now);
    NotifyRoom();  // it may be kept after all
    LeaveIfRetired();
  }
  outbox_.WakePutOff(now);
  if (now - stream_->last_written() >= options_.heartbeat_interval) heartbeat_due_ = true;
  stream_->Pump();
}

void FlowClient::Impl::LeaveIfRetired() {
  if (outbox_.empty() && rotation_.OnAcked()) stream_->HalfClose();
}

absl::Duration FlowClient::Impl::ReconnectDelay() {
  const int doublings = std::min(failures_, 16);
  const absl::Duration longest =
      std::min(options_.reconnect_max, options_.reconnect_min * (int64_t{2} << doublings));
  return options_.reconnect_min +
         absl::Uniform(random_, 0.0, 1.0) * (longest - options_.reconnect_min);
}

std::shared_ptr<const FlowRequest> FlowClient::Impl::NextWrite() {
  auto request = std::make_shared<FlowRequest>();
  if (!hello_written_) {
    hello_written_ = true;
    request->mutable_hello()->set_protocol(kFlowProtocol);
    request->mutable_hello()->set_source(options_.source);
    outbox_.FillHello(*request->mutable_hello());
    return request;
  }
  if (connected_ && !durables_.empty()) {
    *request->mutable_durable() = std::move(durables_.begin()->second);
    durables_.erase(durables_.begin());
    return request;
  }
  if (auto batch = NextBatch()) return batch;
  if (connected_ && stopping_ && !drain_written_ && outbox_.nothing_to_resend()) {
    drain_written_ = true;
    request->mutable_drain();
    return request;
  }
  if (heartbeat_due_) {
    heartbeat_due_ = false;
    request->mutable_heartbeat();
    return request;
  }
  return nullptr;
}

std::shared_ptr<const FlowRequest> FlowClient::Impl::NextBatch() {
  if (!connected_ || peer_drains_) return nullptr;
  const bool resending = outbox_.resending();
  std::shared_ptr<const FlowRequest> batch = outbox_.Next();
  if (resending && !outbox_.resending()) NotifyRoom();
  return batch;
}

void FlowClient::Impl::OnResponse(const FlowResponse& response) {
  Outbox::Ended ended;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (response.has_have()) TakeHave(response.have());
    if (response.has_credit()) {
      outbox_.AddCredit(response.credit());
      NotifyRoom();
    }
    if (response.has_ack()) outbox_.TakeAck(response.ack(), ended);
    if (response.has_nack() && outbox_.TakeNack(response.nack(), clock_.Monotonic(), ended)) {
      timers_changed_ = true;
      changed_.notify_all();
    }
    if (response.has_drain()) peer_drains_ = true;
    if (stream_ != nullptr) {
      stream_->Pump();
      LeaveIfRetired();
    }
    if (!ended.empty()) changed_.notify_all();
  }
  for (auto& [on_ended, result] : ended) on_ended(std::move(result));
}

void FlowClient::Impl::TakeHave(const telemetry::v1::Have& have) {
  if (connected_) return;
  connected_ = true;
  said_away_ = false;
  failures_ = 0;
  hops_ = 0;
  rotation_.OnConnected(clock_.Monotonic());
  timers_changed_ = true;
  changed_.notify_all();
  const size_t resend = outbox_.Resume(have);
  spdlog::log(rotation_.settled() ? spdlog::level::debug : spdlog::level::info,
              "flow to {}: connected, {} batches to send again", address(), resend);
}

void FlowClient::Impl::OnClosed(const grpc::Status& status) {
  std::string error = cancelled_for_;
  if (error.empty()) error = status.ok() ? "closed by the taker" : ToAbsl(status).ToString();
  if (channels_->tls() && !connected_) error = ExplainHandshake(error);
  const bool left = rotation_.leaving();  // that is as it should be
  if (left) {
    error = "moving on";
  } else if (connected_ && !closed_) {
    // Every stream ends when its connection has come of age: nothing is wrong until it stays away.
    spdlog::info("flow to {}: {}; connecting again", address(), error);
  } else if (!closed_ && !said_away_) {
    said_away_ = true;
    spdlog::warn("flow to {}: {}; trying again until it is back", address(), error);
  }
  error_ = std::move(error);
  rotation_.OnClosed();
  failures_ = left ? 0 : failures_ + 1;
  if (!connected_) ++hops_;
  stream_ = nullptr;
  connected_ = false;
  outbox_.Disconnect();
  durables_.clear();
  changed_.notify_all();
}

FlowClient::FlowClient(FlowClientOptions options, const Security& security, Clock& clock)
    : FlowClient(
          options,
          std::make_shared<FlowChannels>(std::vector<std::string>{options.address}, security), 0,
          clock) {}

FlowClient::FlowClient(FlowClientOptions options, std::shared_ptr<const FlowChannels> channels,
                       size_t home, Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(channels), home, clock)) {}

FlowClient::~FlowClient() { Shutdown(absl::ZeroDuration()); }

void FlowClient::Start() { impl_->Start(); }

absl::Status FlowClient::Send(BatchPtr batch, OnEnded on_ended) {
  return impl_->Send(std::move(batch), std::move(on_ended));
}

uint32_t FlowClient::room() const { return impl_->room(); }

bool FlowClient::TrySend(BatchPtr& batch, size_t bytes_without_id, OnEnded& on_ended) {
  return impl_->TrySend(batch, bytes_without_id, on_ended);
}

void FlowClient::SendDurable(telemetry::v1::Durable durable) {
  impl_->SendDurable(std::move(durable));
}

void FlowClient::Shutdown(absl::Duration deadline) { impl_->Shutdown(deadline); }

FlowClient::State FlowClient::state() const { return impl_->state(); }

}  // namespace nightjar::rpc
