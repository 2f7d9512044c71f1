#include "services/common/analytics_api/engine_client.h"

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "tests/fakes/fake_engine.h"

namespace nightjar::analytics_api {
namespace {

using fakes::EngineFault;
using fakes::FakeEngine;
using fakes::FakeEngineOptions;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr char kTwoLines[] = "{\"query\":\"nj1x.a\"}\n{\"query\":\"nj2x.a\"}\n";

class EngineClientTest : public testing::Test {
 protected:
  EngineClient Client(std::vector<std::string> hosts, bool gzip = true) {
    EngineClientOptions options;
    options.hosts = std::move(hosts);
    options.endpoint.user_agent = "nightjar/test";
    options.api_key = config::Secret("test-key");
    options.gzip = gzip;
    return EngineClient(std::move(options));
  }

  FakeEngine engine_;
  EventsReply reply_;
  Exchange exchange_;
};

TEST_F(EngineClientTest, PostsPlainAndCompressed) {
  for (const bool gzip : {false, true}) {
    EngineClient client = Client({engine_.url()}, gzip);
    ASSERT_OK(client.PostEvents("dns", kTwoLines, 2, &reply_, &exchange_));
    EXPECT_EQ(reply_.accepted, 2u);
    EXPECT_EQ(exchange_.body_bytes == sizeof(kTwoLines) - 1, !gzip);
    EXPECT_EQ(exchange_.host, engine_.url());
  }
  EXPECT_THAT(engine_.accepted_ids(), ElementsAre(Pair(1, 2), Pair(2, 2)));
  EXPECT_THAT(engine_.stats().accepted_by_type, ElementsAre(Pair("dns", 4)));
}

TEST_F(EngineClientTest, AWrongKeyIsNamedAndAnotherHelpsAtOnce) {
  engine_.SetApiKey("other");
  EngineClient client = Client({engine_.url()});
  EXPECT_THAT(client.PostEvents("dns", kTwoLines, 2, &reply_, &exchange_),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("invalid API key")));
  AccountReply account;
  EXPECT_THAT(client.Account(&account, &exchange_), StatusIs(absl::StatusCode::kUnauthenticated));
  client.SetApiKey(config::Secret("other"));
  EXPECT_OK(client.Account(&account, &exchange_));
  EXPECT_TRUE(account.registered);
  EXPECT_OK(client.PostEvents("dns", kTwoLines, 2, &reply_, &exchange_));
}

TEST_F(EngineClientTest, RetryAfterIsPassedOn) {
  engine_.FailNext(1, {EngineFault::Kind::kStatus, 429, 7, {}});
  EngineClient client = Client({engine_.url()});
  EXPECT_THAT(client.PostEvents("dns", kTwoLines, 2, &reply_, &exchange_),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("told to fail")));
  EXPECT_EQ(exchange_.retry_after, absl::Seconds(7));
}

TEST_F(EngineClientTest, HtmlAndWrongCountsAreNoAcceptance) {
  EngineClient client = Client({engine_.url()});
  engine_.FailNext(1, {EngineFault::Kind::kHtml, 0, {}, {}});
  EXPECT_THAT(client.PostEvents("dns", kTwoLines, 2, &reply_, &exchange_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("an HTML page")));
  engine_.FailNext(1, {EngineFault::Kind::kWrongCounts, 0, {}, {}});
  EXPECT_THAT(client.PostEvents("dns", kTwoLines, 2, &reply_, &exchange_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("sent 2 events")));
}

TEST_F(EngineClientTest, ABadBodyIsInvalidArgument) {
  engine_.RefuseBodiesWith("nj2x");
  EngineClient client = Client({engine_.url()});
  EXPECT_THAT(client.PostEvents("dns", kTwoLines, 2, &reply_, &exchange_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("malformed event")));
}

TEST_F(EngineClientTest, AStandbyIsTriedWhenTheFirstCannotBeReached) {
  std::string gone;
  {
    FakeEngine stopped;
    gone = stopped.url();
  }
  EngineClient client = Client({gone, engine_.url()});
  ASSERT_OK(client.PostEvents("dns", kTwoLines, 2, &reply_, &exchange_));
  EXPECT_EQ(exchange_.host, engine_.url());
  EXPECT_THAT(Client({gone}).PostEvents("dns", kTwoLines, 2, &reply_, &exchange_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(gone)));
}

TEST_F(EngineClientTest, AfterCancelNothingIsSent) {
  EngineClient client = Client({engine_.url()});
  client.Cancel();
  EXPECT_THAT(client.PostEvents("dns", kTwoLines, 2, &reply_, &exchange_),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(engine_.stats().posts, 0u);
}

}  // namespace
}  // namespace nightjar::analytics_api
