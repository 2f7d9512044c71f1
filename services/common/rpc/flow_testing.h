// For tests of anything that sends or takes a Flow: a handler that does as it is told, a taker on a
// real port, raw peers.
#ifndef SERVICES_COMMON_RPC_FLOW_TESTING_H_
#define SERVICES_COMMON_RPC_FLOW_TESTING_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "grpcpp/client_context.h"
#include "grpcpp/server.h"
#include "proto/telemetry/v1/telemetry_service.grpc.pb.h"
#include "services/common/clock/clock.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/rpc/flow_client.h"
#include "services/common/rpc/flow_server.h"

namespace nightjar::rpc {

// How long a test waits for what must happen before it fails. Nothing waits for this long when all
// is well.
inline constexpr absl::Duration kTestPatience = absl::Seconds(30);

// Reconnects at once.
FlowClientOptions ClientOptions(const std::string& address, const std::string& source = "reader");

// Lets `condition` come true by moving the clock in steps too small for a watchdog. The peers'
// messages travel in real time, so each step gives them a moment. False when it did not come true
// in 100 s of the clock.
bool AdvanceUntil(SimulatedClock& clock, const std::function<bool()>& condition);

// False when `condition` did not come true within kTestPatience.
bool Eventually(const std::function<bool()>& condition);

// A batch of DNS events with the sequence numbers [first_seq_no, first_seq_no + events).
BatchPtr MakeBatch(uint64_t first_seq_no, int events);

// OK with one accepted outcome for each event.
BatchResult Accepted(uint64_t events);

// A stage in a test. Batches are known by the sequence number of their first event. Thread-safe.
class ScriptedHandler final : public FlowHandler {
 public:
  enum class Script { kAccept, kHold };
  explicit ScriptedHandler(Script script) : script_(script) {}

  void OnBatch(BatchPtr batch, Done done) override;
  void OnDurable(const telemetry::v1::Durable& durable) override;

  // Waits until this many batches were handed over in all. False when that did not happen within
  // `patience`.
  bool WaitForBatches(size_t count, absl::Duration patience = kTestPatience);
  bool WaitForDurables(size_t count);

  // Ends a held batch. It must have been handed over.
  void Finish(uint64_t first_seq_no, BatchResult result);
  // Accepts everything held now, and all that comes.
  void Release();

  // First sequence numbers in the order of arrival.
  std::vector<uint64_t> handed_over() const;
  uint64_t bytes_held() const;
  std::vector<telemetry::v1::Durable> durables() const;

 private:
  struct Held {
    uint64_t events;
    uint64_t bytes;
    Done done;
  };
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Script script_;
  std::vector<uint64_t> handed_over_;
  std::multimap<uint64_t, Held> held_;
  std::vector<telemetry::v1::Durable> durables_;
};

// Collects how batches ended at the sending side. Thread-safe.
class EndedBatches {
 public:
  // Pass to FlowClient::Send for the batch called `name`.
  FlowClient::OnEnded Expect(uint64_t name);

  bool WaitFor(size_t count, absl::Duration patience = kTestPatience);
  // In the order of ending. A name that ended twice stands there twice.
  std::vector<uint64_t> order() const;
  absl::Status status(uint64_t name) const;
  // Sum of all accepted counts, or of those told with one batch.
  uint64_t accepted(std::optional<uint64_t> of = std::nullopt) const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<uint64_t, BatchResult>> ended_;
};

// A gRPC server with nothing but a Telemetry service, on a port of the loopback interface.
class LoopbackServer {
 public:
  // Port 0: any.
  explicit LoopbackServer(grpc::Service& service, int port = 0, const Security& security = {});
  ~LoopbackServer();  // breaks all calls off

  int port() const { return port_; }
  std::string address() const;

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// A FlowServer that can be reached. Destroying it is what peers see of a kill: streams break
// without a word.
class LoopbackTaker {
 public:
  LoopbackTaker(FlowHandler& handler, Clock& clock, int port = 0, FlowServerOptions options = {});

  FlowServer& server() { return flow_; }
  int port() const { return loopback_.port(); }
  std::string address() const { return loopback_.address(); }

 private:
  FlowServer flow_;
  LoopbackServer loopback_;
};

// One stream whose messages the test writes and reads itself.
class RawSender {
 public:
  // The whole stream may last for `patience`.
  explicit RawSender(const std::string& address, const Security& security = {},
                     absl::Duration patience = kTestPatience);
  ~RawSender();

  bool SendHello(const std::string& source, const std::vector<uint64_t>& unacked = {});
  bool SendBatch(uint64_t id, BatchPtr batch);
  bool Write(const telemetry::v1::FlowRequest& request);
  // Empty at the end of the stream.
  std::optional<telemetry::v1::FlowResponse> Read();
  // Reads on to the first message of this kind, skipping others. Empty when the stream ends first.
  std::optional<telemetry::v1::FlowResponse> ReadUntil(
      telemetry::v1::FlowResponse::MessageCase kind);
  // Reads all that is left and returns how the stream ended.
  absl::Status Finish();

 private:
  std::unique_ptr<telemetry::v1::Telemetry::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<telemetry::v1::FlowRequest, telemetry::v1::FlowResponse>>
      stream_;
};

// A taker whose side of each stream is the given function.
class RawTaker final : public telemetry::v1::Telemetry::Service {
 public:
  using Stream = grpc::ServerReaderWriter<telemetry::v1::FlowResponse, telemetry::v1::FlowRequest>;
  explicit RawTaker(std::function<void(Stream&)> script) : script_(std::move(script)) {}

  grpc::Status Flow(grpc::ServerContext*, Stream* stream) override {
    script_(*stream);
    return grpc::Status::OK;
  }

 private:
  std::function<void(Stream&)> script_;
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_FLOW_TESTING_H_
