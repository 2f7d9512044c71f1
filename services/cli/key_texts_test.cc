#include "services/cli/key_texts.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::cli {
namespace {

using testing::HasSubstr;

TEST(KeyTextsTest, WordsOfTheCommandLineBecomeARequest) {
  const auto request = ToRequest({{"ingest", "admin"}, "site B", "90d"});
  ASSERT_OK(request);
  EXPECT_EQ(request->scopes(0), admin::v1::KEY_SCOPE_INGEST);
  EXPECT_EQ(request->scopes(1), admin::v1::KEY_SCOPE_ADMIN);
  EXPECT_EQ(request->description(), "site B");
  EXPECT_EQ(request->lifetime_seconds(), 90u * 24 * 3600);
  EXPECT_EQ(ToRequest({{"alerts"}, "", ""})->lifetime_seconds(), 0u);
  EXPECT_EQ(ToRequest({{"alerts"}, "", "1h30m"})->lifetime_seconds(), 5400u);
}

TEST(KeyTextsTest, WrongWordsAreNamed) {
  const absl::Status scope = ToRequest({{"root"}, "", ""}).status();
  EXPECT_THAT(scope, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"root\"")));
  EXPECT_EQ(ExitStatus(scope), kExitUsage);
  for (const char* lifetime : {"soon", "d", "-3d", "0d", "inf"}) {
    EXPECT_THAT(ToRequest({{"ingest"}, "", lifetime}).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(lifetime)));
  }
}

TEST(KeyTextsTest, KeysStandInATableWithTheirState) {
  admin::v1::ListKeysResponse response;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(keys { prefix: 'nj_a' scopes: KEY_SCOPE_INGEST scopes: KEY_SCOPE_ALERTS
                description: 'this\033[2J host' created_at { seconds: 1799990000 } }
         keys { prefix: 'nj_b' scopes: KEY_SCOPE_ADMIN created_at { seconds: 1799990000 }
                expires_at { seconds: 1800000000 } last_used_at { seconds: 1799990060 } }
         keys { prefix: 'nj_c' revoked_at { seconds: 1 } created_at { seconds: 1799990000 } })",
      &response));
  EXPECT_EQ(KeyTable(response, absl::FromUnixSeconds(1'800'000'000)),
            "KEY   STATE    SCOPES         CREATED           EXPIRES           LAST USED         "
            "DESCRIPTION\n"
            "nj_a  valid    ingest,alerts  2027-01-15 05:13  never             never             "
            "this\\x1b[2J host\n"
            "nj_b  expired  admin          2027-01-15 05:13  2027-01-15 08:00  2027-01-15 05:14\n"
            "nj_c  revoked                 2027-01-15 05:13  never             never\n");
  EXPECT_EQ(KeyTable({}, absl::UnixEpoch()), "the engine has no keys\n");
}

}  // namespace
}  // namespace nightjar::cli
