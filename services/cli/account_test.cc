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
  EXPECT_THAT(ParseAccount(R"({"registered":false,"expired":true,
                  "expirationDate":"2026-12-24T00:00:00Z",
                  "messages":[{"level":2,"body":"renew \u001b[2J soon"},7]})"),
              IsOkAndHolds("Account registered: false\nAccount expired: true\n"
                           "Account expires: 2026-12-24T00:00:00Z\n"
                           "Message: renew \\x1b[2J soon\n"));
}

TEST(AccountTest, WhatIsNoAnswerIsNotTakenForOne) {
  for (const char* answer : {"<html>", "[]", "{}", R"({"registered":"yes"})"}) {
    EXPECT_THAT(ParseAccount(answer), StatusIs(absl::StatusCode::kUnavailable)) << answer;
  }
}

}  // namespace
}  // namespace nightjar::cli
