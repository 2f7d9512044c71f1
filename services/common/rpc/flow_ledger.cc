#include "services/common/rpc/flow_ledger.h"

#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "spdlog/spdlog.h"

namespace nightjar::rpc {
namespace {

using telemetry::v1::Ack;
using telemetry::v1::Batch;
using telemetry::v1::Hello;
using telemetry::v1::Nack;

// When a batch that was not taken is to be sent again.
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

}  // namespace

void FlowLedger::Attach(ServerStream& stream, const Hello& hello) {
  std::shared_ptr<FlowSource> source = FindSource(hello.source());
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

void FlowLedger::Detach(ServerStream& stream) {
  const auto attached = attached_.find(&stream);
  if (attached == attached_.end()) return;
  FlowSource& source = *attached->second;
  source.stream = nullptr;
  pool_.CloseStream(source.credit);
  attached_.erase(attached);
  GrantAll();
}

std::shared_ptr<FlowSource> FlowLedger::Admit(ServerStream& stream, const Batch& batch,
                                              int64_t bytes) {
  const auto attached = attached_.find(&stream);
  if (attached == attached_.end() || stream.closing()) return nullptr;
  std::shared_ptr<FlowSource> source = attached->second;
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

void FlowLedger::End(FlowSource& source, uint64_t id, int64_t bytes, BatchResult result) {
  pool_.Finish(source.credit, bytes);
  const absl::StatusCode code = result.status.code();
  if (code == absl::StatusCode::kOk || code == absl::StatusCode::kAborted ||
      code == absl::StatusCode::kInvalidArgument) {
    source.memory.End(id, std::move(result));
    Answer(source, id);
  } else {
    source.memory.Retry(id);
    if (source.stream != nullptr) {
      source.stream->SendNack(id, Nack::CODE_RETRY,
                              static_cast<uint32_t>(absl::ToInt64Milliseconds(kRetryAfter)),
                              std::string(result.status.message()));
    }
  }
  GrantAll();
  if (source.stream != nullptr) source.stream->Pump();
}

// Tells the sender, if it is there, how batch `id` ended.
void FlowLedger::Answer(FlowSource& source, uint64_t id) {
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

bool FlowLedger::FillAck(ServerStream& stream, Ack& ack) const {
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

void FlowLedger::SetOpen(bool open) {
  open_ = open;
  GrantAll();
}

void FlowLedger::Drain() {
  draining_ = true;
  for (auto& [stream, source] : attached_) {
    stream->SendDrain();
    stream->Pump();
  }
}

std::shared_ptr<FlowSource> FlowLedger::FindSource(const std::string& name) {
  std::shared_ptr<FlowSource>& source = sources_[name];
  if (source == nullptr) source = std::make_shared<FlowSource>();
  source->last_used = ++uses_;
  std::shared_ptr<FlowSource> found = source;
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

void FlowLedger::GrantAll() {
  if (!open_ || draining_) return;
  for (auto& [stream, source] : attached_) {
    if (stream->closing()) continue;
    const CreditAmount amount = pool_.Grant(source->credit, attached_.size());
    if (amount.batches == 0 && amount.bytes == 0) continue;
    stream->SendCredit(amount);
    stream->Pump();
  }
}

}  // namespace nightjar::rpc
