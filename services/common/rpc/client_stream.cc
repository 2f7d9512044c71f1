#include "services/common/rpc/client_stream.h"

#include <utility>

namespace nightjar::rpc {

ClientStream::ClientStream(std::mutex& mutex, Owner& owner, Clock& clock)
    : mutex_(mutex),
      owner_(owner),
      clock_(clock),
      last_received_(clock.Monotonic()),
      last_written_(last_received_) {}

void ClientStream::Start(telemetry::v1::Telemetry::Stub& stub) {
  stub.async()->Flow(&context_, this);
  AddHold();  // Pump starts writes outside reactions; released with the last read
  StartRead(&response_);
  Pump();
  StartCall();
}

void ClientStream::Pump() {
  if (!writable()) return;
  writing_ = owner_.NextWrite();
  if (writing_ != nullptr) {
    last_written_ = clock_.Monotonic();
    StartWrite(writing_.get());
  } else if (half_close_) {
    writes_done_ = true;
    StartWritesDone();
  }
}

void ClientStream::HalfClose() {
  half_close_ = true;
  Pump();
}

void ClientStream::OnReadDone(bool ok) {
  if (!ok) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      broken_ = true;
    }
    RemoveHold();
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    last_received_ = clock_.Monotonic();
  }
  owner_.OnResponse(response_);
  StartRead(&response_);
}

void ClientStream::OnWriteDone(bool ok) {
  std::lock_guard<std::mutex> lock(mutex_);
  writing_ = nullptr;
  if (ok) {
    Pump();
  } else {
    context_.TryCancel();  // the pending read then fails too, which ends the stream
  }
}

void ClientStream::OnDone(const grpc::Status& status) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    owner_.OnClosed(status);
  }
  delete this;
}

}  // namespace nightjar::rpc
