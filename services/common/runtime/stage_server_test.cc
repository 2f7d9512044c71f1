#include "services/common/runtime/stage_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/impl/codegen/client_unary_call.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "httplib.h"
#include "prometheus/counter.h"
#include "proto/admin/v1/engine_keys_service.grpc.pb.h"
#include "proto/admin/v1/stage_service.grpc.pb.h"
#include "proto/grpc/health/v1/health.pb.h"
#include "proto/telemetry/v1/telemetry_service.grpc.pb.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/rpc/settings.h"
#include "services/common/runtime/bounded_http.h"
#include "services/common/runtime/listen_address.h"
#include "services/common/runtime/log.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::runtime {
namespace {

using admin::v1::StageStatus;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

constexpr char kTelemetry[] = "nightjar.telemetry.v1.Telemetry";

std::string Content(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

// A stage as its main() builds it, with a clock that stands still.
class StageServerTest : public testing::Test {
 protected:
  StageServerTest() {
    flags_.listen = "127.0.0.1:0";
    flags_.address_file = testing::TempDir() + "/address.json";
  }

  StageServer MakeServer() {
    return StageServer({"scorer", "Scores events.", 7402}, flags_, security_, metrics_, monitor_,
                       [] { return std::string("engine: {api_key: \"***\"}\n"); });
  }

  static std::shared_ptr<grpc::Channel> Channel(const std::string& address) {
    return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  }

  static httplib::Result Get(const std::string& address, const char* path) {
    const auto parsed = ParseListenAddress(address);
    return httplib::Client(parsed->host, parsed->port).Get(path);
  }

  SimulatedClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "scorer"};
  StageMonitor monitor_{"scorer", ledger_, clock_};
  rpc::Security security_;
  Flags flags_;
};

TEST_F(StageServerTest, AddressFileTellsWhatIsServed) {
  std::ofstream(flags_.address_file) << "of an earlier run";
  StageServer server = MakeServer();
  server.SetApiAddress("127.0.0.1:7480");
  ASSERT_OK(server.Start());
  EXPECT_EQ(Content(flags_.address_file), "{\"grpc\":\"" + server.grpc_address() +
                                              "\",\"http\":\"" + server.http_address() +
                                              "\",\"api\":\"127.0.0.1:7480\"}\n");
  struct stat info {};
  EXPECT_NE(stat((flags_.address_file + ".tmp").c_str(), &info), 0);
  EXPECT_THAT(server.grpc_address(), MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
  server.Shutdown(absl::Seconds(5));
}

TEST_F(StageServerTest, AddressFileThatCannotBeWrittenIsRefused) {
  flags_.address_file = "/nonexistent/address.json";
  StageServer server = MakeServer();
  const absl::Status status = server.Start();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("/nonexistent/address.json"),
                                     HasSubstr("No such file or directory"))));
  EXPECT_EQ(ExitStatus(status), kExitConfig);
}

TEST_F(StageServerTest, MetricsAreServedAsText) {
  metrics_.counter("nightjar_test_total", "Test.").Increment(2);
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  const auto reply = Get(server.http_address(), "/metrics");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_THAT(reply->body, HasSubstr("nightjar_test_total 2\n"));
  EXPECT_THAT(reply->body, HasSubstr("nightjar_inflight_events{stage=\"scorer\"} 0"));
  EXPECT_THAT(reply->body, HasSubstr("nightjar_stage_ready{stage=\"scorer\"} 0"));
  EXPECT_THAT(reply->get_header_value("Content-Type"), HasSubstr("version=0.0.4"));
}

TEST_F(StageServerTest, ReadyzFollowsTheMonitorAndHealthzDoesNot) {
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  EXPECT_EQ(Get(server.http_address(), "/readyz")->status, 503);
  EXPECT_EQ(Get(server.http_address(), "/healthz")->status, 200);
  monitor_.SetStarted();
  EXPECT_EQ(Get(server.http_address(), "/readyz")->status, 200);
  monitor_.SetCondition("engine", "503 at https://engine");
  EXPECT_EQ(Get(server.http_address(), "/readyz")->status, 200);  // it knows, and goes on
  EXPECT_EQ(Get(server.http_address(), "/readyz")->body,
            "ok, though degraded: engine: 503 at https://engine\n");
  monitor_.SetDraining();
  EXPECT_EQ(Get(server.http_address(), "/readyz")->status, 503);
  EXPECT_EQ(Get(server.http_address(), "/healthz")->status, 200);
  EXPECT_EQ(Get(server.http_address(), "/other")->status, 404);
}

// A connection to `address` that has sent `text`.
int Send(const std::string& address, const std::string& text) {
  const auto parsed = ParseListenAddress(address);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<uint16_t>(parsed->port));
  inet_pton(AF_INET, parsed->host.c_str(), &peer.sin_addr);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)), 0);
  EXPECT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  return fd;
}

TEST_F(StageServerTest, AHeadOfEndlessLinesIsReadOnlySoFar) {
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  std::string head = "GET /healthz HTTP/1.1\r\n";
  while (head.size() < kHttpRequestBytesMax) head += "X-More: of the same\r\n";
  const int fd = Send(server.http_address(), head);
  char reply[64] = {};
  EXPECT_GT(recv(fd, reply, sizeof(reply) - 1, 0), 0);
  EXPECT_THAT(reply, HasSubstr("400 Bad Request"));
  close(fd);
}

TEST_F(StageServerTest, ConnectionsThatSayNothingCannotHoldTheOthersUp) {
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  std::vector<int> silent;
  const auto busy = [&] {
    const auto reply = Get(server.http_address(), "/healthz");
    return reply && reply->status == 503;
  };
  while (silent.size() < kHttpThreads + kHttpWaitingMax) {
    silent.push_back(Send(server.http_address(), ""));
  }
  EXPECT_TRUE(busy());
  for (const int fd : silent) close(fd);
  while (busy()) {
  }
  EXPECT_EQ(Get(server.http_address(), "/healthz")->status, 200);
}

TEST_F(StageServerTest, AnHttpConnectionThatSaysNothingDoesNotHoldTheShutdownUp) {
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  const int silent = Send(server.http_address(), "GET /healthz HTTP/1.1\r\n");
  EXPECT_EQ(Get(server.http_address(), "/healthz")->status, 200);  // so it has been accepted too
  const absl::Duration before = SystemClock().Monotonic();
  server.Shutdown(absl::Seconds(10));
  EXPECT_LT(SystemClock().Monotonic() - before, absl::Seconds(1));
  close(silent);
}

TEST_F(StageServerTest, HttpTakesNoBodies) {
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  const auto address = ParseListenAddress(server.http_address());
  const auto reply = httplib::Client(address->host, address->port).Post("/metrics", "x", "a/b");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 413);
}

TEST_F(StageServerTest, PortInUseIsRefusedByName) {
  StageServer first = MakeServer();
  ASSERT_OK(first.Start());
  flags_.listen = first.grpc_address();
  StageServer second = MakeServer();
  const absl::Status status = second.Start();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr(first.grpc_address() + " for gRPC"),
                                     HasSubstr("Address already in use"))));
  EXPECT_EQ(ExitStatus(status), kExitConfig);
}

TEST_F(StageServerTest, HttpPortInUseIsRefusedByName) {
  StageServer first = MakeServer();
  ASSERT_OK(first.Start());
  const auto taken = ParseListenAddress(first.http_address());
  // The second's HTTP port is the first's; its gRPC port, 100 lower, is almost surely free.
  flags_.listen = ListenAddress{taken->host, taken->port - 100}.ToString();
  StageServer second = MakeServer();
  EXPECT_THAT(second.Start(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Address already in use")));
}

TEST_F(StageServerTest, AddressThatMayNotBeListenedOnIsRefused) {
  for (const char* listen : {"0.0.0.0:0", "nonsense", "127.0.0.1:65500"}) {
    flags_.listen = listen;
    StageServer server = MakeServer();
    const absl::Status status = server.Start();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(listen)));
    EXPECT_EQ(ExitStatus(status), kExitConfig);
  }
}

TEST_F(StageServerTest, Ipv6Works) {
  flags_.listen = "[::1]:0";
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  EXPECT_THAT(server.grpc_address(), HasSubstr("[::1]:"));
  EXPECT_EQ(Get(server.http_address(), "/healthz")->status, 200);
  grpc::ClientContext context;
  StageStatus status;
  const auto stub = admin::v1::Stage::NewStub(Channel(server.grpc_address()));
  EXPECT_TRUE(stub->GetStatus(&context, {}, &status).ok());
}

TEST_F(StageServerTest, ShutdownWorksUnstartedAndTwice) {
  StageServer unstarted = MakeServer();
  unstarted.StopAccepting();
  unstarted.Shutdown(absl::ZeroDuration());
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  const std::string http = server.http_address();
  server.Shutdown(absl::Seconds(5));
  server.Shutdown(absl::Seconds(5));
  EXPECT_FALSE(Get(http, "/healthz"));
}

TEST_F(StageServerTest, TheLastLineOfAStageIsItsBooks) {
  const std::string log = testing::TempDir() + "/closing.log";
  ASSERT_OK(InitLog(log, "info", "scorer"));
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  ledger_.Read("dns", 12);
  ledger_.Ended(telemetry::v1::OUTCOME_ACCEPTED, "", "dns", 9);
  ledger_.Ended(telemetry::v1::OUTCOME_FILTERED, "trusted", "dns", 1);
  ledger_.Ended(telemetry::v1::OUTCOME_FILTERED, "out_of_scope", "dns", 1);
  server.Shutdown(absl::Seconds(5));
  ASSERT_OK(InitLog("stderr", "info", "scorer"));
  EXPECT_THAT(Content(log), EndsWith("Z INFO scorer: scorer stopped: read 12 = accepted 9 + "
                                     "filtered 2 + in flight 1\n"));
}

class HealthTest : public StageServerTest {
 protected:
  static grpc::health::v1::HealthCheckResponse::ServingStatus Check(const std::string& address,
                                                                    const std::string& service) {
    const auto channel = Channel(address);
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    grpc::health::v1::HealthCheckResponse response;
    const grpc::internal::RpcMethod method("/grpc.health.v1.Health/Check",
                                           grpc::internal::RpcMethod::NORMAL_RPC, channel);
    const grpc::Status status =
        grpc::internal::BlockingUnaryCall(channel.get(), method, &context, request, &response);
    if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
      return grpc::health::v1::HealthCheckResponse::SERVICE_UNKNOWN;
    }
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }
};

TEST_F(HealthTest, EachServiceIsServingUntilTheStageStopsAccepting) {
  using grpc::health::v1::HealthCheckResponse;
  telemetry::v1::Telemetry::Service telemetry;
  StageServer server = MakeServer();
  server.AddService(telemetry, kTelemetry);
  ASSERT_OK(server.Start());
  const std::string address = server.grpc_address();
  for (const char* service : {"", kTelemetry, "nightjar.admin.v1.Stage"}) {
    EXPECT_EQ(Check(address, service), HealthCheckResponse::SERVING) << service;
  }
  EXPECT_EQ(Check(address, "unknown"), HealthCheckResponse::SERVICE_UNKNOWN);
  server.StopAccepting();
  for (const char* service : {"", kTelemetry, "nightjar.admin.v1.Stage"}) {
    EXPECT_EQ(Check(address, service), HealthCheckResponse::NOT_SERVING) << service;
  }
}

TEST_F(StageServerTest, ShutdownEndsOpenStreamsAtOnce) {
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  const auto stub = admin::v1::Stage::NewStub(Channel(server.grpc_address()));
  grpc::ClientContext watch_context;
  auto watch = stub->WatchStatus(&watch_context, {});
  StageStatus status;
  ASSERT_TRUE(watch->Read(&status));
  grpc::ClientContext tap_context;
  auto tap = stub->Tap(&tap_context, {});
  tap->WaitForInitialMetadata();
  server.Shutdown(absl::InfiniteDuration());  // does not return before every call has ended
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(tap->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

// A connection on which nothing happens any more, as of a client that is idle or frozen: it has
// greeted, and does not read what comes.
class IdleConnection {
 public:
  explicit IdleConnection(const std::string& address)
      : fd_(Send(address, std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33))) {
    char settings[9];
    EXPECT_EQ(recv(fd_, settings, sizeof(settings), MSG_WAITALL), 9);
  }
  ~IdleConnection() { close(fd_); }

 private:
  const int fd_;
};

TEST_F(StageServerTest, IdleConnectionsDoNotHoldTheShutdownUp) {
  telemetry::v1::Telemetry::Service telemetry;
  StageServer server = MakeServer();
  server.AddService(telemetry, kTelemetry);
  ASSERT_OK(server.Start());
  const IdleConnection idle(server.grpc_address());
  // As a stage's: it watches our health for as long as it lives.
  const auto peer = grpc::CreateCustomChannel(
      server.grpc_address(), grpc::InsecureChannelCredentials(), rpc::ClientChannelArguments());
  ASSERT_TRUE(peer->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10)));
  const absl::Duration before = SystemClock().Monotonic();
  server.Shutdown(absl::Seconds(10));
  EXPECT_LT(SystemClock().Monotonic() - before, absl::Seconds(1));
}

// Answers when it is told to.
class SlowKeys final : public admin::v1::EngineKeys::Service {
 public:
  grpc::Status ListKeys(grpc::ServerContext* context, const admin::v1::ListKeysRequest*,
                        admin::v1::ListKeysResponse*) override {
    arrived_.set_value();
    release_.get_future().wait();
    return context->IsCancelled() ? grpc::Status::CANCELLED : grpc::Status::OK;
  }
  void AwaitCall() { arrived_.get_future().wait(); }
  void Answer() { release_.set_value(); }

 private:
  std::promise<void> arrived_;
  std::promise<void> release_;
};

TEST_F(StageServerTest, ShutdownLetsACallThatIsOpenEnd) {
  SlowKeys keys;
  StageServer server = MakeServer();
  server.AddService(keys, "nightjar.admin.v1.EngineKeys");
  ASSERT_OK(server.Start());
  const auto stub = admin::v1::EngineKeys::NewStub(Channel(server.grpc_address()));
  auto call = std::async(std::launch::async, [&] {
    grpc::ClientContext context;
    admin::v1::ListKeysResponse response;
    return stub->ListKeys(&context, {}, &response);
  });
  keys.AwaitCall();
  auto shutdown =
      std::async(std::launch::async, [&] { server.Shutdown(absl::InfiniteDuration()); });
  EXPECT_EQ(shutdown.wait_for(std::chrono::milliseconds(500)), std::future_status::timeout);
  keys.Answer();
  EXPECT_TRUE(call.get().ok());
  shutdown.get();
}

}  // namespace
}  // namespace nightjar::runtime
