#include "services/alert_poller/account_watch.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "tests/fakes/fake_engine.h"

namespace nightjar::alert_poller {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AccountWatchTest : public testing::Test {
 protected:
  std::string Look() {
    watch_.Look(client_);
    return metrics_.Render();
  }
  analytics_api::EngineClient Client() const {
    analytics_api::EngineClientOptions options;
    options.hosts = {engine_.url()};
    options.endpoint.user_agent = "nightjar/test";
    options.api_key = config::Secret("test-key");
    return analytics_api::EngineClient(options);
  }

  fakes::FakeEngine engine_;
  SimulatedClock clock_;
  metrics::Metrics metrics_;
  analytics_api::EngineClient client_ = Client();
  AccountWatch watch_{metrics_, clock_};
};

TEST_F(AccountWatchTest, TheEndOfTheAccountIsAFigureAnHourAtATime) {
  engine_.SetAccountReply(
      R"({"registered":true,"expired":false,"expirationDate":"2026-12-24T00:00:00Z"})");
  EXPECT_THAT(Look(),
              AllOf(HasSubstr("nightjar_poller_account_expiry_timestamp_seconds 1798070400\n"),
                    HasSubstr("nightjar_poller_account_expired 0\n"),
                    HasSubstr("nightjar_poller_account_checks_total{result=\"ok\"} 1\n")));
  engine_.SetAccountReply(
      R"({"registered":true,"expired":true,"expirationDate":"2026-12-25T00:00:00Z"})");
  clock_.Advance(absl::Minutes(59));
  EXPECT_THAT(Look(), HasSubstr("nightjar_poller_account_expired 0\n"));
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(Look(),
              AllOf(HasSubstr("nightjar_poller_account_expiry_timestamp_seconds 1798156800\n"),
                    HasSubstr("nightjar_poller_account_expired 1\n")));
}

TEST_F(AccountWatchTest, AnEngineThatGivesNoDateHasNoSeries) {
  EXPECT_THAT(Look(), AllOf(HasSubstr("nightjar_poller_account_expired 0\n"),
                            Not(HasSubstr("account_expiry"))));
}

TEST_F(AccountWatchTest, AFailureIsCountedAndAskedAgainSooner) {
  engine_.SetAccountReply("<html>");
  EXPECT_THAT(Look(),
              AllOf(HasSubstr("nightjar_poller_account_checks_total{result=\"failed\"} 1\n"),
                    Not(HasSubstr("nightjar_poller_account_expired"))));
  clock_.Advance(absl::Minutes(5));
  EXPECT_THAT(Look(), HasSubstr("nightjar_poller_account_checks_total{result=\"failed\"} 2\n"));
}

}  // namespace
}  // namespace nightjar::alert_poller
