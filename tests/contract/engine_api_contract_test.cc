// What our client relies on, held by the embedded engine and by the fake one alike.
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/analytics_engine/engine_testing.h"
#include "services/analytics_engine/store/key_store.h"
#include "services/common/analytics_api/engine_client.h"
#include "services/common/status/status_matchers.h"
#include "tests/fakes/fake_engine.h"

namespace nightjar {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

struct Embedded {
  analytics_engine::TestEngine engine;
  std::string key =
      engine.CreateKey(analytics_engine::kIngestScope | analytics_engine::kAlertsScope);
};

struct Fake {
  fakes::FakeEngine engine;
  std::string key = "test-key";
};

template <typename Subject>
class EngineApiContract : public testing::Test {
 protected:
  analytics_api::EngineClient Client(const std::string& key, bool gzip = false) {
    analytics_api::EngineClientOptions options;
    options.hosts = {subject_.engine.url()};
    options.api_key = config::Secret(key);
    options.gzip = gzip;
    return analytics_api::EngineClient(options);
  }
  absl::Status Post(absl::string_view lines, uint64_t count, bool gzip = false) {
    analytics_api::EngineClient client = Client(subject_.key, gzip);
    return client.PostEvents("dns", lines, count, &reply_, &exchange_);
  }

  Subject subject_;
  analytics_api::EventsReply reply_;
  analytics_api::Exchange exchange_;
};

using Subjects = testing::Types<Embedded, Fake>;
TYPED_TEST_SUITE(EngineApiContract, Subjects);

TYPED_TEST(EngineApiContract, EveryEventOfABodyIsCounted) {
  ASSERT_OK(this->Post("{\"query\":\"a.example.com\"}\n{\"query\":\"b.example.com\"}\n", 2));
  EXPECT_EQ(this->reply_.accepted, 2u);
  EXPECT_TRUE(this->reply_.rejected.empty());
}

TYPED_TEST(EngineApiContract, CompressedBodiesAreTheSame) {
  ASSERT_OK(this->Post("{\"query\":\"a.example.com\"}\n", 1, /*gzip=*/true));
  EXPECT_EQ(this->reply_.accepted, 1u);
}

TYPED_TEST(EngineApiContract, AnEmptyBodyHasNoEvents) { EXPECT_OK(this->Post("", 0)); }

TYPED_TEST(EngineApiContract, AWrongKeyIsToldApart) {
  analytics_api::EngineClient client = this->Client("wrong");
  analytics_api::AccountReply account;
  EXPECT_THAT(client.Account(&account, &this->exchange_), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(client.PostEvents("dns", "{}\n", 1, &this->reply_, &this->exchange_),
              StatusIs(StatusCode::kUnauthenticated));
  client.SetApiKey(config::Secret(this->subject_.key));
  EXPECT_OK(client.Account(&account, &this->exchange_));
}

TYPED_TEST(EngineApiContract, ABodyOver10MibIsRefusedWithWords) {
  const std::string line = absl::StrCat("{\"a\":\"", std::string(1000, 'x'), "\"}\n");
  std::string lines;
  uint64_t count = 0;
  for (; lines.size() <= 10 << 20; ++count) lines += line;
  EXPECT_THAT(this->Post(lines, count), StatusIs(StatusCode::kInvalidArgument, HasSubstr("body")));
  EXPECT_THAT(this->Post(lines, count, /*gzip=*/true), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_OK(this->Post(line, 1));
}

}  // namespace
}  // namespace nightjar
