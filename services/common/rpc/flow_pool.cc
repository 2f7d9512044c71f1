#include "services/common/rpc/flow_pool.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/rpc/flow_channels.h"
#include "services/common/rpc/message_check.h"
#include "services/common/status/status_macros.h"

namespace nightjar::rpc {
namespace {

constexpr size_t kStreamsMin = 4;
constexpr size_t kStreamsPerAddress = 2;

}  // namespace

FlowPool::FlowPool(FlowPoolOptions options, const Security& security, Clock& clock) {
  const auto channels = std::make_shared<const FlowChannels>(options.addresses, security);
  const size_t streams = std::max(kStreamsMin, kStreamsPerAddress * channels->size());
  for (size_t i = 0; i < streams; ++i) {
    FlowClientOptions stream = options.streams;
    stream.source = absl::StrCat(options.source, "-", i);
    stream.rotation = options.rotation;
    stream.on_room = [this] {
      std::lock_guard<std::mutex> lock(mutex_);
      ++changes_;
      changed_.notify_all();
    };
    clients_.push_back(
        std::make_unique<FlowClient>(std::move(stream), channels, i % channels->size(), clock));
  }
}

FlowPool::~FlowPool() { Shutdown(absl::ZeroDuration()); }

void FlowPool::Start() {
  for (const auto& client : clients_) client->Start();
}

absl::Status FlowPool::Send(BatchPtr batch, OnEnded on_ended) {
  batch->batch().clear_id();
  const size_t bytes_without_id = batch->batch().ByteSizeLong();
  RETURN_IF_ERROR(CheckBatch(batch->batch(), bytes_without_id));
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const uint64_t seen = changes_;
    lock.unlock();
    if (Offer(batch, bytes_without_id, on_ended)) return absl::OkStatus();
    lock.lock();
    changed_.wait(lock, [&] { return stopping_ || changes_ != seen; });
  }
  return absl::CancelledError("the sender is stopping");
}

bool FlowPool::Offer(BatchPtr& batch, size_t bytes_without_id, OnEnded& on_ended) {
  std::vector<std::pair<uint32_t, FlowClient*>> rooms;
  for (const auto& client : clients_) {
    if (const uint32_t room = client->room(); room > 0) rooms.emplace_back(room, client.get());
  }
  std::sort(rooms.rbegin(), rooms.rend());
  return std::any_of(rooms.begin(), rooms.end(), [&](const auto& room) {
    return room.second->TrySend(batch, bytes_without_id, on_ended);
  });
}

void FlowPool::SendDurable(telemetry::v1::Durable durable) {
  for (const auto& client : clients_) {
    if (client->state().connected) return client->SendDurable(std::move(durable));
  }
}

void FlowPool::Shutdown(absl::Duration deadline) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  // At the same time: each may wait.
  std::vector<std::thread> threads;
  for (const auto& client : clients_) {
    threads.emplace_back([&client, deadline] { client->Shutdown(deadline); });
  }
  for (std::thread& thread : threads) thread.join();
}

FlowPool::State FlowPool::state() const {
  State sum;
  for (const auto& client : clients_) {
    const State state = client->state();
    sum.connected = sum.connected || state.connected;
    if (sum.error.empty()) sum.error = state.error;
    sum.credit_batches += state.credit_batches;
    sum.credit_bytes += state.credit_bytes;
    sum.unacked_batches += state.unacked_batches;
    sum.resent_batches += state.resent_batches;
    sum.reconnects += state.reconnects;
  }
  if (sum.connected) sum.error.clear();
  return sum;
}

}  // namespace nightjar::rpc
