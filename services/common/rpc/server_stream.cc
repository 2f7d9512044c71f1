#include "services/common/rpc/server_stream.h"

#include <utility>

namespace nightjar::rpc {

using telemetry::v1::FlowResponse;
using telemetry::v1::Nack;

ServerStream::ServerStream(std::mutex& mutex, Owner& owner, Clock& clock,
                           grpc::CallbackServerContext& context)
    : mutex_(mutex),
      owner_(owner),
      clock_(clock),
      context_(context),
      last_received_(clock.Monotonic()),
      last_written_(last_received_) {}

void ServerStream::Start() { Read(); }

void ServerStream::Read() {
  incoming_ = std::make_unique<BatchMessage>();
  StartRead(&incoming_->request());
}

void ServerStream::SendHave(const std::vector<uint64_t>& ids) {
  have_pending_ = true;
  have_ = ids;
}

void ServerStream::SendNack(uint64_t id, Nack::Code code, uint32_t retry_after_ms,
                            std::string text) {
  Nack& nack = nacks_.emplace_back();
  nack.set_id(id);
  nack.set_code(code);
  nack.set_retry_after_ms(retry_after_ms);
  nack.set_text(std::move(text));
}

void ServerStream::SendCredit(const CreditAmount& amount) {
  credit_.batches += amount.batches;
  credit_.bytes += amount.bytes;
}

void ServerStream::Pump() {
  if (writing_ || finished_) return;
  if ((!closing_ || flush_) && FillResponse()) {
    writing_ = true;
    last_written_ = clock_.Monotonic();
    StartWrite(&response_);
  } else if (closing_) {
    finished_ = true;
    Finish(close_status_);
  }
}

bool ServerStream::FillResponse() {
  response_.Clear();
  if (have_pending_) {
    have_pending_ = false;
    response_.mutable_have()->mutable_ids()->Assign(have_.begin(), have_.end());
  } else if (!nacks_.empty()) {
    *response_.mutable_nack() = std::move(nacks_.front());
    nacks_.pop_front();
  } else if (!acks_.empty() && owner_.FillAck(*this, *response_.mutable_ack())) {
    // Filled.
  } else if (credit_.batches > 0 || credit_.bytes > 0) {
    response_.mutable_credit()->set_batches(static_cast<uint32_t>(credit_.batches));
    response_.mutable_credit()->set_bytes(static_cast<uint64_t>(credit_.bytes));
    credit_ = {};
  } else if (drain_) {
    drain_ = false;
    response_.mutable_drain();
  } else if (heartbeat_) {
    heartbeat_ = false;
    response_.mutable_heartbeat();
  } else {
    return false;
  }
  return true;
}

void ServerStream::Close(const grpc::Status& status, bool flush) {
  if (closing_) {
    flush_ = flush_ && flush;
  } else {
    closing_ = true;
    flush_ = flush;
    close_status_ = status;
  }
  Pump();
}

void ServerStream::Cancel() {
  cancelled_ = true;
  context_.TryCancel();
}

void ServerStream::OnReadDone(bool ok) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!ok) {
      // The peer has closed its side (its acks may still be on the way), or the stream broke.
      Close(grpc::Status::OK, /*flush=*/true);
      return;
    }
    last_received_ = clock_.Monotonic();
    if (closing_) return;
  }
  owner_.OnMessage(*this, std::move(incoming_));
  std::lock_guard<std::mutex> lock(mutex_);
  if (!closing_) Read();
}

void ServerStream::OnWriteDone(bool ok) {
  std::lock_guard<std::mutex> lock(mutex_);
  writing_ = false;
  if (ok) {
    Pump();
  } else {
    Close(grpc::Status(grpc::UNAVAILABLE, "the stream broke"), /*flush=*/false);
  }
}

void ServerStream::OnCancel() {
  std::lock_guard<std::mutex> lock(mutex_);
  Close(grpc::Status::CANCELLED, /*flush=*/false);
}

void ServerStream::OnDone() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    owner_.OnGone(*this);
  }
  delete this;
}

}  // namespace nightjar::rpc
