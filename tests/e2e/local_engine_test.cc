// The pipeline with the embedded engine: the stages find its key, whoever starts first, and lose
// nothing when it dies.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/fixture.h"

namespace nightjar::e2e {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(90);

// The stages must know the engine's port before it runs.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

class LocalEngineTest : public PipelineTest {
 protected:
  PipelineOptions LocalOptions() {
    PipelineOptions options = Options();
    options.folder = folder_;
    options.config =
        absl::StrCat("engine: {host: local}\ninputs: {elastic: {enabled: true, hosts: [\"",
                     elastic_.url(), "\"], searches: [");
    for (const char* type : {"dns", "ip", "http", "tls"}) {
      absl::StrAppend(&options.config, "{event_type: ", type, ", indices: [\"packetbeat-*\"]},");
    }
    absl::StrAppend(&options.config, "]}}\noutputs: {enabled: false}\ndata: {dir: \"", folder_,
                    "/data\"}\nreader: {start: earliest, poll_interval: 200ms}\n",
                    "analytics_engine: {listen: \"127.0.0.1:", FreePort(), "\"}\n");
    return options;
  }

  void StartEngine() {
    const std::string addresses = folder_ + "/engine.addresses";
    unlink(addresses.c_str());
    auto engine = Process::Start(
        {Binaries() + "/services/analytics_engine/analytics-engine", "--config",
         pipeline_->config_path(), "--listen", "127.0.0.1:0", "--address_file", addresses},
        folder_ + "/engine.log");
    ASSERT_OK(engine);
    engine_process_ = std::make_unique<Process>(*std::move(engine));
    ASSERT_OK(AwaitFile(addresses, kPatience));
  }

  // Every document has its outcome: all are the engine's but those that the scorer leaves out.
  bool AllEnded(uint64_t documents) {
    return Await(kPatience, [&] {
      const auto status = pipeline_->Status(Stage::kReader);
      if (!status.ok()) return false;
      const uint64_t accepted = Counted(*status, telemetry::v1::OUTCOME_ACCEPTED);
      const uint64_t filtered = Counted(*status, telemetry::v1::OUTCOME_FILTERED);
      return accepted > documents / 2 && accepted + filtered == documents;
    });
  }

  std::unique_ptr<Process> engine_process_;
};

TEST_F(LocalEngineTest, ThatStartsLastIsFoundWithItsKey) {
  Fill(1, 500);
  StartPipeline(LocalOptions());
  EXPECT_TRUE(Await(kPatience, [&] {
    const auto status = pipeline_->Status(Stage::kForwarder);
    return status.ok() && status->in_flight_events() > 0;
  }));
  ASSERT_NO_FATAL_FAILURE(StartEngine());
  EXPECT_TRUE(AllEnded(500));
  ExpectBooksBalance();
}

TEST_F(LocalEngineTest, ThatIsKilledLosesNothing) {
  StartPipeline(LocalOptions());
  ASSERT_NO_FATAL_FAILURE(StartEngine());
  Fill(1, 500);
  EXPECT_TRUE(AllEnded(500));
  engine_process_->Kill();
  Fill(501, 1000);
  ASSERT_NO_FATAL_FAILURE(StartEngine());
  EXPECT_TRUE(AllEnded(1000));
  ExpectBooksBalance();
}

}  // namespace
}  // namespace nightjar::e2e
