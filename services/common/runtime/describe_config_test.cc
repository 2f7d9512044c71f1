#include "services/common/runtime/describe_config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"

namespace nightjar::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class DescribeConfigTest : public testing::Test {
 protected:
  DescribeConfigTest() {
    config_.engine.hosts = {"http://127.0.0.1:7480"};
    config_.elastic.hosts = {"https://elasticsearch:9200"};
    config_.data.dir = testing::TempDir();
  }

  std::string Page(unsigned sections, const std::string& listen) {
    DescribeConfig(config_, sections, listen, &stage_metrics_);
    stage_metrics_.Refresh();
    return metrics_.Render();
  }
  static std::string Insecure(const std::string& to, int value) {
    return "nightjar_stage_insecure_transport{stage=\"es-reader\",to=\"" + to + "\"} " +
           std::to_string(value) + "\n";
  }

  SimulatedClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "es-reader"};
  StageMonitor monitor_{"es-reader", ledger_, clock_};
  StageMetrics stage_metrics_{"es-reader", metrics_, monitor_};
  config::Config config_;
};

TEST_F(DescribeConfigTest, LoopbackAndHttpsAreSecure) {
  EXPECT_THAT(Page(config::kAll, "127.0.0.1:7401"),
              AllOf(HasSubstr(Insecure("stages", 0)), HasSubstr(Insecure("elasticsearch", 0)),
                    HasSubstr(Insecure("engine", 0)),
                    HasSubstr("nightjar_stage_disk_free_bytes{stage=\"es-reader\"}")));
}

TEST_F(DescribeConfigTest, PlainTextOffTheHostIsNot) {
  config_.engine.hosts.push_back("http://engine:7480");
  config_.elastic.hosts = {"http://elasticsearch:9200"};
  EXPECT_THAT(Page(config::kAll, "0.0.0.0:7401"),
              AllOf(HasSubstr(Insecure("stages", 1)), HasSubstr(Insecure("elasticsearch", 1)),
                    HasSubstr(Insecure("engine", 1))));
}

TEST_F(DescribeConfigTest, TlsThatTrustsAnybodyIsNot) {
  config_.security.ca_file = "/etc/nightjar/tls/ca.crt";
  config_.elastic.insecure_skip_verify = true;
  EXPECT_THAT(Page(config::kElastic, "0.0.0.0:7401"),
              AllOf(HasSubstr(Insecure("stages", 0)), HasSubstr(Insecure("elasticsearch", 1))));
}

TEST_F(DescribeConfigTest, AStageSpeaksOnlyForTheEndpointsItUses) {
  EXPECT_THAT(Page(0, "[::1]:0"),
              AllOf(HasSubstr(Insecure("stages", 0)), Not(HasSubstr("to=\"engine\"")),
                    Not(HasSubstr("to=\"elasticsearch\""))));
}

}  // namespace
}  // namespace nightjar::runtime
