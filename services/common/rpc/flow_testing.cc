#include "services/common/rpc/flow_testing.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "services/common/rpc/grpc_status.h"
#include "services/common/rpc/settings.h"
#include "services/common/status/check.h"

namespace nightjar::rpc {

using telemetry::v1::FlowRequest;
using telemetry::v1::FlowResponse;

FlowClientOptions ClientOptions(const std::string& address, const std::string& source) {
  FlowClientOptions options;
  options.address = address;
  options.source = source;
  options.reconnect_min = absl::Milliseconds(1);
  options.reconnect_max = absl::Milliseconds(20);
  return options;
}

bool AdvanceUntil(SimulatedClock& clock, const std::function<bool()>& condition) {
  std::mutex mutex;
  std::condition_variable never;
  for (int i = 0; i < 1000; ++i) {
    std::unique_lock<std::mutex> lock(mutex);
    if (SystemClock().WaitFor(lock, never, absl::Milliseconds(1), condition)) return true;
    clock.Advance(absl::Milliseconds(100));
  }
  return false;
}

bool Eventually(const std::function<bool()>& condition) {
  const absl::Duration deadline = SystemClock().Monotonic() + kTestPatience;
  while (!condition()) {
    if (SystemClock().Monotonic() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

BatchPtr MakeBatch(uint64_t first_seq_no, int events) {
  auto message = std::make_unique<BatchMessage>();
  telemetry::v1::Batch& batch = message->batch();
  batch.set_epoch("Zk1yS2Vf/0/h1");
  batch.set_fencing_token(1);
  batch.set_index("packetbeat-7.17.29-2026.01.01-000001");
  batch.set_identity(telemetry::v1::IDENTITY_SEQ_NO);
  batch.set_window_from(static_cast<int64_t>(first_seq_no) - 1);
  batch.set_window_to(static_cast<int64_t>(first_seq_no) + events - 1);
  for (int i = 0; i < events; ++i) {
    telemetry::v1::Event& event = *batch.add_events();
    event.set_seq_no(first_seq_no + i);
    event.set_document_id(absl::StrCat("doc-", first_seq_no + i));
    event.mutable_dns()->set_query("www.example.com");
  }
  return message;
}

BatchResult Accepted(uint64_t events) {
  BatchResult result;
  telemetry::v1::OutcomeCount& count = result.counts.emplace_back();
  count.set_outcome(telemetry::v1::OUTCOME_ACCEPTED);
  count.set_type("dns");
  count.set_count(events);
  return result;
}

void ScriptedHandler::OnBatch(BatchPtr batch, Done done) {
  const uint64_t events = batch->batch().events_size();
  CHECK(events > 0);
  const uint64_t name = batch->batch().events(0).seq_no();
  bool accept = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    handed_over_.push_back(name);
    accept = script_ == Script::kAccept;
    if (!accept) held_.emplace(name, Held{events, batch->batch().ByteSizeLong(), std::move(done)});
    changed_.notify_all();
  }
  if (accept) done(Accepted(events));
}

void ScriptedHandler::OnDurable(const telemetry::v1::Durable& durable) {
  std::lock_guard<std::mutex> lock(mutex_);
  durables_.push_back(durable);
  changed_.notify_all();
}

bool ScriptedHandler::WaitForBatches(size_t count, absl::Duration patience) {
  std::unique_lock<std::mutex> lock(mutex_);
  return SystemClock().WaitFor(lock, changed_, patience,
                               [&] { return handed_over_.size() >= count; });
}

bool ScriptedHandler::WaitForDurables(size_t count) {
  std::unique_lock<std::mutex> lock(mutex_);
  return SystemClock().WaitFor(lock, changed_, kTestPatience,
                               [&] { return durables_.size() >= count; });
}

void ScriptedHandler::Finish(uint64_t first_seq_no, BatchResult result) {
  Done done;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto held = held_.find(first_seq_no);
    CHECK(held != held_.end());
    done = std::move(held->second.done);
    held_.erase(held);
  }
  done(std::move(result));
}

void ScriptedHandler::Release() {
  std::multimap<uint64_t, Held> held;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    script_ = Script::kAccept;
    held.swap(held_);
  }
  for (auto& [name, batch] : held) batch.done(Accepted(batch.events));
}

std::vector<uint64_t> ScriptedHandler::handed_over() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return handed_over_;
}

uint64_t ScriptedHandler::bytes_held() const {
  std::lock_guard<std::mutex> lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& [name, batch] : held_) bytes += batch.bytes;
  return bytes;
}

std::vector<telemetry::v1::Durable> ScriptedHandler::durables() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return durables_;
}

FlowClient::OnEnded EndedBatches::Expect(uint64_t name) {
  return [this, name](BatchResult result) {
    std::lock_guard<std::mutex> lock(mutex_);
    ended_.emplace_back(name, std::move(result));
    changed_.notify_all();
  };
}

bool EndedBatches::WaitFor(size_t count, absl::Duration patience) {
  std::unique_lock<std::mutex> lock(mutex_);
  return SystemClock().WaitFor(lock, changed_, patience, [&] { return ended_.size() >= count; });
}

std::vector<uint64_t> EndedBatches::order() const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<uint64_t> names;
  for (const auto& [name, result] : ended_) names.push_back(name);
  return names;
}

absl::Status EndedBatches::status(uint64_t name) const {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [ended, result] : ended_) {
    if (ended == name) return result.status;
  }
  return absl::NotFoundError(absl::StrCat("batch ", name, " has not ended"));
}

uint64_t EndedBatches::accepted(std::optional<uint64_t> of) const {
  std::lock_guard<std::mutex> lock(mutex_);
  uint64_t sum = 0;
  for (const auto& [name, result] : ended_) {
    if (of.has_value() && name != *of) continue;
    for (const telemetry::v1::OutcomeCount& count : result.counts) {
      if (count.outcome() == telemetry::v1::OUTCOME_ACCEPTED) sum += count.count();
    }
  }
  return sum;
}

LoopbackServer::LoopbackServer(grpc::Service& service, int port, const Security& security) {
  grpc::ServerBuilder builder;
  ConfigureServer(builder);
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), security.server_credentials(), &port_);
  builder.RegisterService(&service);
  server_ = builder.BuildAndStart();
  CHECK(server_ != nullptr && port_ != 0);
}

LoopbackServer::~LoopbackServer() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

std::string LoopbackServer::address() const { return absl::StrCat("127.0.0.1:", port_); }

LoopbackTaker::LoopbackTaker(FlowHandler& handler, Clock& clock, int port,
                             FlowServerOptions options)
    : flow_(options, handler, Security(), clock), loopback_(flow_.service(), port) {}

RawSender::RawSender(const std::string& address, const Security& security, absl::Duration patience)
    : stub_(telemetry::v1::Telemetry::NewStub(grpc::CreateCustomChannel(
          address, security.channel_credentials(), ClientChannelArguments()))) {
  context_.set_wait_for_ready(true);
  context_.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(patience));
  stream_ = stub_->Flow(&context_);
}

RawSender::~RawSender() { context_.TryCancel(); }

bool RawSender::SendHello(const std::string& source, const std::vector<uint64_t>& unacked) {
  FlowRequest request;
  request.mutable_hello()->set_protocol(kFlowProtocol);
  request.mutable_hello()->set_source(source);
  request.mutable_hello()->mutable_unacked()->Assign(unacked.begin(), unacked.end());
  return Write(request);
}

bool RawSender::SendBatch(uint64_t id, BatchPtr batch) {
  batch->batch().set_id(id);
  return Write(batch->request());
}

bool RawSender::Write(const FlowRequest& request) { return stream_->Write(request); }

std::optional<FlowResponse> RawSender::Read() {
  FlowResponse response;
  if (!stream_->Read(&response)) return std::nullopt;
  return response;
}

std::optional<FlowResponse> RawSender::ReadUntil(FlowResponse::MessageCase kind) {
  std::optional<FlowResponse> response = Read();
  while (response.has_value() && response->message_case() != kind) response = Read();
  return response;
}

absl::Status RawSender::Finish() {
  while (Read().has_value()) {
  }
  return ToAbsl(stream_->Finish());
}

}  // namespace nightjar::rpc
