#include "services/common/rpc/outbox.h"

#include <algorithm>

#include "google/protobuf/io/coded_stream.h"

namespace nightjar::rpc {
namespace {

using google::protobuf::io::CodedOutputStream;
using telemetry::v1::Ack;
using telemetry::v1::FlowRequest;
using telemetry::v1::Nack;

// The longest that a taker may put a batch off.
constexpr absl::Duration kRetryAfterMax = absl::Minutes(5);

}  // namespace

// Encoded size of the Batch with the id that it would get.
int64_t Outbox::Cost(size_t bytes_without_id) const {
  return static_cast<int64_t>(bytes_without_id + 1 + CodedOutputStream::VarintSize64(last_id_ + 1));
}

bool Outbox::CanTake(size_t bytes_without_id) const {
  return to_resend_.empty() && Covers(credit_, Cost(bytes_without_id));
}

void Outbox::Take(BatchPtr batch, size_t bytes_without_id, OnEnded on_ended) {
  const int64_t bytes = Cost(bytes_without_id);
  const uint64_t id = ++last_id_;
  batch->batch().set_id(id);
  credit_.batches -= 1;
  credit_.bytes -= bytes;
  unacked_.emplace(id, Unacked{std::move(batch), bytes, std::move(on_ended)});
  to_write_.push_back(id);
}

std::shared_ptr<const FlowRequest> Outbox::Next() {
  uint64_t id = 0;
  if (!to_resend_.empty()) {
    const int64_t bytes = unacked_.at(*to_resend_.begin()).bytes;
    if (Covers(credit_, bytes)) {
      credit_.batches -= 1;
      credit_.bytes -= bytes;
      id = *to_resend_.begin();
      to_resend_.erase(to_resend_.begin());
      ++resent_;
    }
  }
  if (id == 0 && !to_write_.empty()) {
    id = to_write_.front();
    to_write_.pop_front();
  }
  if (id == 0) return nullptr;
  const std::shared_ptr<BatchMessage>& message = unacked_.at(id).message;
  return std::shared_ptr<const FlowRequest>(message, &message->request());
}

void Outbox::FillHello(telemetry::v1::Hello& hello) const {
  for (const auto& [id, batch] : unacked_) hello.add_unacked(id);
}

size_t Outbox::Resume(const telemetry::v1::Have& have) {
  for (const auto& [id, batch] : unacked_) to_resend_.insert(id);
  for (const uint64_t id : have.ids()) to_resend_.erase(id);
  return to_resend_.size();
}

void Outbox::Disconnect() {
  credit_ = {};
  to_write_.clear();
  to_resend_.clear();
  put_off_.clear();
}

void Outbox::AddCredit(const telemetry::v1::Credit& credit) {
  credit_.batches += credit.batches();
  credit_.bytes += static_cast<int64_t>(credit.bytes());
}

void Outbox::TakeAck(const Ack& ack, Ended& ended) {
  for (const telemetry::v1::EndedBatch& batch : ack.ended()) {
    const auto found = unacked_.find(batch.id());
    if (found == unacked_.end()) continue;
    End(found, {absl::OkStatus(), {batch.counts().begin(), batch.counts().end()}}, ended);
  }
}

bool Outbox::TakeNack(const Nack& nack, absl::Duration now, Ended& ended) {
  const auto found = unacked_.find(nack.id());
  if (found == unacked_.end()) return false;
  if (nack.code() == Nack::CODE_FENCED) {
    End(found, {absl::AbortedError(nack.text()), {}}, ended);
    return false;
  }
  if (nack.code() == Nack::CODE_INVALID) {
    End(found, {absl::InvalidArgumentError(nack.text()), {}}, ended);
    return false;
  }
  const absl::Duration after = std::min(absl::Milliseconds(nack.retry_after_ms()), kRetryAfterMax);
  put_off_.emplace(now + after, nack.id());
  return true;
}

absl::Duration Outbox::NextPutOff() const {
  return put_off_.empty() ? absl::InfiniteDuration() : put_off_.begin()->first;
}

void Outbox::WakePutOff(absl::Duration now) {
  while (!put_off_.empty() && put_off_.begin()->first <= now) {
    if (unacked_.count(put_off_.begin()->second) != 0) to_resend_.insert(put_off_.begin()->second);
    put_off_.erase(put_off_.begin());
  }
}

void Outbox::End(std::map<uint64_t, Unacked>::iterator batch, BatchResult result, Ended& ended) {
  ended.emplace_back(std::move(batch->second.on_ended), std::move(result));
  // A taker that acks what it was not sent is wrong, but must not make us send it.
  to_resend_.erase(batch->first);
  to_write_.erase(std::remove(to_write_.begin(), to_write_.end(), batch->first), to_write_.end());
  unacked_.erase(batch);
}

}  // namespace nightjar::rpc
