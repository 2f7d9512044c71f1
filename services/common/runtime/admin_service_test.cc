#include "services/common/runtime/admin_service.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/runtime/log.h"
#include "services/common/runtime/main.h"
#include "services/common/status/status_matchers.h"
#include "spdlog/spdlog.h"

namespace nightjar::runtime {
namespace {

using admin::v1::StageStatus;
using admin::v1::TapRequest;
using admin::v1::TapResponse;
using telemetry::v1::Batch;
using telemetry::v1::Event;
using testing::AllOf;
using testing::HasSubstr;

// What both kinds of peer talk to; the clock stands still.
class ServiceTest : public testing::Test {
 protected:
  SimulatedClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "scorer"};
  StageMonitor monitor_{"scorer", ledger_, clock_};
  const rpc::Security security_;
  AdminService service_{monitor_, security_,
                        [] { return std::string("engine: {api_key: \"***\"}\n"); }};
};

// A peer on loopback, which has every role.
class AdminTest : public ServiceTest {
 protected:
  void SetUp() override {
    unlink(log_.c_str());
    ASSERT_OK(InitLog(log_, "info", "scorer"));
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    stub_ = admin::v1::Stage::NewStub(
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
  }
  void TearDown() override {
    service_.EndStreams();
    server_->Shutdown();
    EXPECT_OK(InitLog("stderr", "info", "test"));
  }

  std::string Log() const {
    std::ostringstream content;
    content << std::ifstream(log_).rdbuf();
    return content.str();
  }

  const std::string log_ = testing::TempDir() + "/admin.log";
  std::unique_ptr<grpc::Server> server_;
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
  EXPECT_THAT(Log(), HasSubstr("INFO scorer: log level set to error by ipv4:127.0.0.1:"));
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
  EXPECT_THAT(Log(),
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
    // The serving thread must be waiting, or it would miss the moment.
    while (clock_.waiting() == 0) std::this_thread::yield();
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

TEST_F(AdminTest, NoStreamOpensOnceTheStageStops) {
  service_.EndStreams();
  EXPECT_EQ(stub_->WatchStatus(&context_, {})->Finish().error_code(),
            grpc::StatusCode::UNAVAILABLE);
  grpc::ClientContext context;
  EXPECT_EQ(stub_->Tap(&context, {})->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
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
class RefusedPeerTest : public ServiceTest {
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
