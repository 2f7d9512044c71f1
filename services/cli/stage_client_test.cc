// The client, tap and status of a real StageServer.
#include "services/cli/stage_client.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/cli/tap.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/ledger.h"
#include "services/common/runtime/stage_server.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class StageClientTest : public testing::Test {
 protected:
  StageClientTest() { EXPECT_OK(server_.Start()); }
  ~StageClientTest() override { server_.Shutdown(absl::Seconds(1)); }

  // Shows the stage an event from each of these sources.
  void Pass(const std::vector<std::string>& sources) {
    telemetry::v1::Batch batch;
    batch.set_index("packetbeat-1");
    for (const std::string& source : sources) {
      telemetry::v1::Event* const event = batch.add_events();
      event->set_source_ip(source);
      event->mutable_dns()->set_query("evil\033[2J.example");
      event->mutable_score()->set_value(70);
    }
    monitor_.Observe(batch);
  }

  runtime::Flags flags_{"", false, "127.0.0.1:0", ""};
  const rpc::Security security_;
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "scorer"};
  runtime::StageMonitor monitor_{"scorer", ledger_, SystemClock()};
  runtime::StageServer server_{{"scorer", "", 0}, flags_,   security_,
                               metrics_,          monitor_, [] { return std::string(); }};
};

TEST_F(StageClientTest, StatusComesFromTheStage) {
  ledger_.Read("dns", 3);
  monitor_.SetStarted();
  const auto status = StageClient(server_.grpc_address(), security_).GetStatus(absl::Seconds(20));
  ASSERT_OK(status);
  EXPECT_EQ(status->stage(), "scorer");
  EXPECT_EQ(status->state(), admin::v1::STATE_READY);
  EXPECT_EQ(status->read_events(), 3u);
}

TEST_F(StageClientTest, AStageThatIsGoneIsUnavailable) {
  const std::string address = server_.grpc_address();
  server_.Shutdown(absl::Seconds(1));
  EXPECT_THAT(StageClient(address, security_).GetStatus(absl::Seconds(20)),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(StageClientTest, TapPrintsSoManyLinesAsAskedForAndEnds) {
  const StageClient client(server_.grpc_address(), security_);
  admin::v1::TapRequest request;
  request.set_type("dns");
  std::vector<std::string> lines;
  bool done = false;
  std::mutex mutex;
  std::thread person([&] {
    EXPECT_OK(Tap(client, request, 2, [&lines](const std::string& line) {
      lines.push_back(line);
      return true;
    }));
    std::lock_guard<std::mutex> lock(mutex);
    done = true;
  });
  // Events pass all the time; the tap sees those that come once it is there.
  for (;;) {
    Pass({"192.0.2.1"});
    std::lock_guard<std::mutex> lock(mutex);
    if (done) break;
    std::this_thread::yield();
  }
  person.join();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], AllOf(HasSubstr("{\"index\":\"packetbeat-1\",\"event\":{"),
                              HasSubstr("\"source_ip\":\"192.0.2.1\""),
                              HasSubstr("\"query\":\"evil\\u001b[2J.example\""),
                              HasSubstr("\"value\":70"), testing::EndsWith("}\n")));
}

TEST_F(StageClientTest, TapEndsWhenNobodyReadsItsLines) {
  const StageClient client(server_.grpc_address(), security_);
  std::thread person([&] {
    EXPECT_OK(Tap(client, {}, 0, [](const std::string&) { return false; }));
    server_.Shutdown(absl::ZeroDuration());  // ends the loop below
  });
  std::thread traffic([&] {
    while (StageClient(server_.grpc_address(), security_).GetStatus(absl::Seconds(5)).ok()) {
      Pass({"192.0.2.1"});
    }
  });
  person.join();
  traffic.join();
}

TEST_F(StageClientTest, AWrongFilterIsRefusedInTheWordsOfTheStage) {
  admin::v1::TapRequest request;
  request.set_type("smtp");
  const StageClient client(server_.grpc_address(), security_);
  EXPECT_THAT(Tap(client, request, 1, [](const std::string&) { return true; }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"smtp\"")));
}

}  // namespace
}  // namespace nightjar::cli
