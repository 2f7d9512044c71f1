#include "services/common/runtime/stage_server.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "absl/strings/numbers.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/time_util.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/impl/codegen/client_unary_call.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "httplib.h"
#include "prometheus/counter.h"
#include "proto/admin/v1/stage_service.grpc.pb.h"
#include "proto/grpc/health/v1/health.pb.h"
#include "proto/telemetry/v1/telemetry_service.grpc.pb.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/runtime/admin_service.h"
#include "services/common/runtime/listen_address.h"
#include "services/common/runtime/log.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"
#include "spdlog/spdlog.h"

namespace nightjar::runtime {
namespace {

using admin::v1::StageStatus;
using admin::v1::TapRequest;
using admin::v1::TapResponse;
using google::protobuf::util::TimeUtil;
using telemetry::v1::Batch;
using telemetry::v1::Event;
using testing::AllOf;
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
  EXPECT_EQ(Get(server.http_address(), "/readyz")->status, 503);
  EXPECT_EQ(Get(server.http_address(), "/readyz")->body, "engine: 503 at https://engine\n");
  EXPECT_EQ(Get(server.http_address(), "/healthz")->status, 200);
  EXPECT_EQ(Get(server.http_address(), "/other")->status, 404);
}

TEST_F(StageServerTest, HttpTakesNoBodies) {
  StageServer server = MakeServer();
  ASSERT_OK(server.Start());
  const auto address = ParseListenAddress(server.http_address());
  const auto reply = httplib::Client(address->host, address->port).Post("/metrics", "x", "a/b");
  EXPECT_TRUE(!reply || reply->status >= 400);
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

// The admin service of a running stage, called over loopback.
class AdminTest : public StageServerTest {
 protected:
  void SetUp() override {
    unlink(log_.c_str());
    ASSERT_OK(InitLog(log_, "info", "scorer"));
    ASSERT_OK(server_.Start());
    stub_ = admin::v1::Stage::NewStub(Channel(server_.grpc_address()));
  }
  void TearDown() override { EXPECT_OK(InitLog("stderr", "info", "test")); }

  const std::string log_ = testing::TempDir() + "/stage.log";
  StageServer server_ = MakeServer();
  std::unique_ptr<admin::v1::Stage::Stub> stub_;
  grpc::ClientContext context_;
};

TEST_F(AdminTest, StatusIsServed) {
  ledger_.Read("dns", 3);
  monitor_.SetStarted();
  StageStatus status;
  ASSERT_TRUE(stub_->GetStatus(&context_, {}, &status).ok());
  EXPECT_EQ(status.stage(), "scorer");
  EXPECT_EQ(status.version(), Version());
  EXPECT_EQ(status.state(), admin::v1::STATE_READY);
  EXPECT_EQ(status.in_flight_events(), 3u);
}

TEST_F(AdminTest, ConfigIsServedAsTheStageGivesIt) {
  admin::v1::GetConfigResponse response;
  ASSERT_TRUE(stub_->GetConfig(&context_, {}, &response).ok());
  EXPECT_EQ(response.yaml(), "engine: {api_key: \"***\"}\n");
}

TEST_F(AdminTest, LogLevelIsSetAndItsAuthorLogged) {
  admin::v1::SetLogLevelRequest request;
  admin::v1::SetLogLevelResponse response;
  request.set_level("error");
  ASSERT_TRUE(stub_->SetLogLevel(&context_, request, &response).ok());
  EXPECT_EQ(response.previous(), "info");
  EXPECT_EQ(spdlog::default_logger()->level(), spdlog::level::err);
  EXPECT_THAT(Content(log_), HasSubstr("INFO scorer: log level set to error by ipv4:127.0.0.1:"));
}

TEST_F(AdminTest, UnknownLogLevelIsInvalid) {
  admin::v1::SetLogLevelRequest request;
  admin::v1::SetLogLevelResponse response;
  request.set_level("loud");
  const grpc::Status status = stub_->SetLogLevel(&context_, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("\"loud\""));
}

TEST_F(AdminTest, PauseAndResumeReachTheStageAndTheLog) {
  admin::v1::PauseRequest request;
  admin::v1::PauseResponse response;
  request.set_reason("upgrade\nforged line");
  ASSERT_TRUE(stub_->Pause(&context_, request, &response).ok());
  EXPECT_TRUE(monitor_.paused());
  EXPECT_EQ(response.ends_at().seconds(), 1'800'000'000 + 15 * 60);
  grpc::ClientContext context;
  admin::v1::ResumeResponse resumed;
  ASSERT_TRUE(stub_->Resume(&context, {}, &resumed).ok());
  EXPECT_FALSE(monitor_.paused());
  EXPECT_THAT(Content(log_),
              AllOf(HasSubstr("upgrade\\nforged line\n"), HasSubstr("paused by ipv4:127.0.0.1:"),
                    HasSubstr("resumed by ipv4:127.0.0.1:")));
}

TEST_F(AdminTest, WatchSendsAtOnceAndThenEachInterval) {
  admin::v1::WatchStatusRequest request;
  request.set_interval_ms(500);
  auto reader = stub_->WatchStatus(&context_, request);
  StageStatus status;
  ASSERT_TRUE(reader->Read(&status));
  EXPECT_EQ(status.read_events(), 0u);
  for (uint64_t i = 1; i <= 3; ++i) {
    ledger_.Read("dns", 1);
    clock_.Advance(absl::Milliseconds(500));
    ASSERT_TRUE(reader->Read(&status));
    EXPECT_EQ(status.read_events(), i);
  }
  context_.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(AdminTest, WatchIntervalOutOfRangeIsInvalid) {
  for (const uint32_t interval_ms : {199u, 60'001u}) {
    grpc::ClientContext context;
    admin::v1::WatchStatusRequest request;
    request.set_interval_ms(interval_ms);
    const grpc::Status status = stub_->WatchStatus(&context, request)->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr(std::to_string(interval_ms)));
  }
}

TEST_F(AdminTest, ShutdownEndsOpenStreamsAtOnce) {
  auto watch = stub_->WatchStatus(&context_, {});
  StageStatus status;
  ASSERT_TRUE(watch->Read(&status));
  grpc::ClientContext tap_context;
  auto tap = stub_->Tap(&tap_context, {});
  tap->WaitForInitialMetadata();
  server_.Shutdown(absl::InfiniteDuration());  // does not return before every call has ended
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(tap->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

Event DnsEvent(const std::string& source_ip, uint32_t score) {
  Event event;
  event.mutable_dns()->set_query("example.com");
  event.set_source_ip(source_ip);
  event.set_destination_ip("2001:db8::53");
  event.mutable_score()->set_value(score);
  return event;
}

Batch BatchOf(std::vector<Event> events) {
  Batch batch;
  batch.set_index("packetbeat-1");
  for (Event& event : events) *batch.add_events() = std::move(event);
  return batch;
}

class TapTest : public AdminTest {
 protected:
  // Returns once the stage has the tap: it sends its headers then.
  std::unique_ptr<grpc::ClientReader<TapResponse>> Open(grpc::ClientContext& context,
                                                        const TapRequest& request) {
    auto reader = stub_->Tap(&context, request);
    reader->WaitForInitialMetadata();
    return reader;
  }
};

TEST_F(TapTest, EveryPartOfTheFilterHolds) {
  TapRequest request;
  request.set_type("dns");
  request.set_ip("2001:0db8:0::53");  // matches the canonical form
  request.set_score_min(50);
  auto reader = Open(context_, request);
  Event ip = DnsEvent("192.0.2.1", 90);
  ip.mutable_ip();
  Event elsewhere = DnsEvent("192.0.2.2", 90);
  elsewhere.set_destination_ip("2001:db8::54");
  monitor_.Observe(BatchOf({ip, elsewhere, DnsEvent("192.0.2.3", 49), DnsEvent("192.0.2.4", 50)}));
  TapResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.index(), "packetbeat-1");
  EXPECT_EQ(response.event().source_ip(), "192.0.2.4");
  EXPECT_EQ(response.event().dns().query(), "example.com");
  EXPECT_EQ(response.skipped(), 0u);  // what does not match is not skipped
}

TEST_F(TapTest, SourceAddressMatchesToo) {
  TapRequest request;
  request.set_ip("192.0.2.4");
  auto reader = Open(context_, request);
  monitor_.Observe(BatchOf({DnsEvent("192.0.2.3", 0), DnsEvent("192.0.2.4", 0)}));
  TapResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.event().source_ip(), "192.0.2.4");
}

TEST_F(TapTest, RateLimitSkipsAndCounts) {
  TapRequest request;
  request.set_events_per_second_max(3);
  auto reader = Open(context_, request);
  monitor_.Observe(BatchOf(std::vector<Event>(10, DnsEvent("192.0.2.1", 0))));
  TapResponse response;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.skipped(), 0u);
  }
  clock_.Advance(absl::Seconds(1));
  monitor_.Observe(BatchOf({DnsEvent("192.0.2.2", 0)}));
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.event().source_ip(), "192.0.2.2");
  EXPECT_EQ(response.skipped(), 7u);
}

TEST_F(TapTest, SlowPeerIsSkippedOverAndNeverWaitedFor) {
  TapRequest request;
  request.set_events_per_second_max(100);
  auto reader = Open(context_, request);
  Event big = DnsEvent("192.0.2.1", 0);
  big.mutable_dns()->set_query(std::string(100'000, 'a'));
  // 100 MB while nobody reads: far more than the queue and the connection hold.
  const Batch batch = BatchOf(std::vector<Event>(100, big));
  uint64_t offered = 0;
  for (int i = 0; i < 10; ++i) {
    monitor_.Observe(batch);
    offered += batch.events_size();
    clock_.Advance(absl::Seconds(1));
  }
  // Reading on until an event offered meanwhile comes through: each one offered before it was
  // either received or counted as skipped.
  uint64_t received = 0;
  uint64_t skipped = 0;
  TapResponse response;
  while (response.event().seq_no() == 0) {
    ASSERT_TRUE(reader->Read(&response));
    ++received;
    skipped += response.skipped();
    Event late = DnsEvent("192.0.2.9", 0);
    late.set_seq_no(++offered);
    clock_.Advance(absl::Seconds(1));
    monitor_.Observe(BatchOf({late}));
  }
  EXPECT_EQ(received + skipped, response.event().seq_no());
  EXPECT_GT(skipped, 500u);
}

TEST_F(TapTest, WrongFiltersAreInvalidByName) {
  const auto problem = [this](const TapRequest& request) {
    grpc::ClientContext context;
    const grpc::Status status = stub_->Tap(&context, request)->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  TapRequest request;
  request.set_type("smtp");
  EXPECT_THAT(problem(request), HasSubstr("type is \"smtp\""));
  request.Clear();
  request.set_ip("192.0.2.0/24");
  EXPECT_THAT(problem(request), HasSubstr("ip is \"192.0.2.0/24\""));
  request.Clear();
  request.set_score_min(101);
  EXPECT_THAT(problem(request), HasSubstr("score_min is 101"));
  request.Clear();
  request.set_events_per_second_max(101);
  EXPECT_THAT(problem(request), HasSubstr("events_per_second_max is 101"));
}

TEST_F(TapTest, NinthTapIsRefused) {
  grpc::ClientContext contexts[9];
  std::vector<std::unique_ptr<grpc::ClientReader<TapResponse>>> taps;
  for (int i = 0; i < 8; ++i) taps.push_back(Open(contexts[i], {}));
  EXPECT_EQ(stub_->Tap(&contexts[8], {})->Finish().error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  for (auto& context : contexts) context.TryCancel();
}

// A peer without a network address has no role in plain text: what it asks for must not happen.
class RefusedPeerTest : public StageServerTest {
 protected:
  RefusedPeerTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = admin::v1::Stage::NewStub(server_->InProcessChannel({}));
  }
  ~RefusedPeerTest() override { server_->Shutdown(); }

  static void ExpectDenied(const grpc::Status& status, const char* role) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_THAT(status.error_message(), HasSubstr(role));
  }

  AdminService service_{monitor_, security_, [] { return std::string("secret"); }};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<admin::v1::Stage::Stub> stub_;
  grpc::ClientContext context_;
};

TEST_F(RefusedPeerTest, ViewIsNeededToSee) {
  StageStatus status;
  ExpectDenied(stub_->GetStatus(&context_, {}, &status), "view");
  EXPECT_EQ(status.stage(), "");
  grpc::ClientContext config_context;
  admin::v1::GetConfigResponse config;
  ExpectDenied(stub_->GetConfig(&config_context, {}, &config), "view");
  EXPECT_EQ(config.yaml(), "");
  grpc::ClientContext watch_context;
  ExpectDenied(stub_->WatchStatus(&watch_context, {})->Finish(), "view");
}

TEST_F(RefusedPeerTest, TapIsNeededToTap) {
  ExpectDenied(stub_->Tap(&context_, {})->Finish(), "tap");
}

TEST_F(RefusedPeerTest, OperateIsNeededToSwitch) {
  admin::v1::PauseResponse paused;
  ExpectDenied(stub_->Pause(&context_, {}, &paused), "operate");
  EXPECT_FALSE(monitor_.paused());
  monitor_.Pause("by someone else");
  grpc::ClientContext resume_context;
  admin::v1::ResumeResponse resumed;
  ExpectDenied(stub_->Resume(&resume_context, {}, &resumed), "operate");
  EXPECT_TRUE(monitor_.paused());
  grpc::ClientContext level_context;
  admin::v1::SetLogLevelRequest request;
  admin::v1::SetLogLevelResponse response;
  const auto level = spdlog::default_logger()->level();
  request.set_level("debug");
  ExpectDenied(stub_->SetLogLevel(&level_context, request, &response), "operate");
  EXPECT_EQ(spdlog::default_logger()->level(), level);
}

}  // namespace
}  // namespace nightjar::runtime
