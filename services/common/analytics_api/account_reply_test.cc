#include "services/common/analytics_api/account_reply.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kJson[] = "application/json";

TEST(AccountReplyTest, EverythingTheEngineSaysIsRead) {
  const auto reply = ParseAccountReply(kJson, R"({"registered":true,"expired":true,
      "expirationDate":"2026-12-24T00:00:00+01:00","messages":[{"level":2,"body":"renew"},7,{}]})");
  ASSERT_OK(reply);
  EXPECT_TRUE(reply->registered);
  EXPECT_TRUE(reply->expired);
  EXPECT_EQ(reply->expires, absl::FromUnixSeconds(1'798'066'800));
  EXPECT_THAT(reply->messages, ElementsAre("renew"));
}

TEST(AccountReplyTest, NoDateIsNotADate) {
  for (const char* date : {"", R"(,"expirationDate":"")", R"(,"expirationDate":null)",
                           R"(,"expirationDate":"0001-01-01T00:00:00Z")"}) {
    const auto reply = ParseAccountReply(kJson, R"({"registered":true)" + std::string(date) + "}");
    ASSERT_OK(reply);
    EXPECT_FALSE(reply->expires.has_value()) << date;
    EXPECT_FALSE(reply->expired) << date;
  }
}

TEST(AccountReplyTest, WhatIsNoAnswerIsNotTakenForOne) {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"registered":"yes"})",
                           R"({"registered":true,"expirationDate":"soon"})"}) {
    EXPECT_THAT(ParseAccountReply(kJson, body), StatusIs(absl::StatusCode::kUnavailable)) << body;
  }
  EXPECT_THAT(ParseAccountReply("text/html", R"({"registered":true})"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("HTML")));
}

}  // namespace
}  // namespace nightjar::analytics_api
