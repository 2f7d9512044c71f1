#include "services/cli/account.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"
#include "tests/fakes/fake_engine.h"

namespace nightjar::cli {
namespace {

using testing::HasSubstr;

config::Config ConfigFor(const fakes::FakeEngine& engine, const std::string& key) {
  config::Config config;
  config.engine.hosts = {"http://127.0.0.1:9", engine.url()};  // the first one is away
  config.engine.api_key = config::Secret(key);
  return config;
}

TEST(AccountTest, AKnownKeyIsRegisteredAtTheFirstHostThatAnswers) {
  const fakes::FakeEngine engine;
  EXPECT_THAT(AccountStatus(ConfigFor(engine, "test-key")),
              IsOkAndHolds(HasSubstr("Account registered: true\nAccount expired: false\n")));
}

TEST(AccountTest, AWrongKeyIsRefusedWithTheEnginesWords) {
  const fakes::FakeEngine engine;
  EXPECT_THAT(AccountStatus(ConfigFor(engine, "another")),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("401")));
}

TEST(AccountTest, NoKeyIsAConfigurationError) {
  EXPECT_EQ(ExitStatus(AccountStatus(config::Config()).status()), kExitConfig);
}

TEST(AccountTest, EverythingTheEngineSaysIsShownAndSafe) {
  analytics_api::AccountReply account;
  account.expired = true;
  account.expires = absl::FromUnixSeconds(1'798'070'400);
  account.messages = {"renew \x1b[2J soon"};
  EXPECT_EQ(AccountText(account),
            "Account registered: false\nAccount expired: true\n"
            "Account expires: 2026-12-24T00:00:00Z\nMessage: renew \\x1b[2J soon\n");
}

TEST(AccountTest, AnAnswerThatIsNoneIsNotTakenForOne) {
  fakes::FakeEngine engine;
  engine.SetAccountReply("{}");
  EXPECT_THAT(AccountStatus(ConfigFor(engine, "test-key")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("registered")));
}

}  // namespace
}  // namespace nightjar::cli
