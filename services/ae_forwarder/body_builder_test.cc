#include "services/ae_forwarder/body_builder.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::ae_forwarder {
namespace {

using analytics_api::Dialect;
using testing::IsEmpty;
using testing::SizeIs;

telemetry::v1::Event Dns(const std::string& query) {
  telemetry::v1::Event event;
  event.mutable_dns()->set_query(query);
  return event;
}

class BodyBuilderTest : public testing::Test {
 protected:
  void Add(BodyBuilder& builder, const telemetry::v1::Event& event, int second = 0,
           const char* type = "dns") {
    builder.Add(type, batch_, event, {false, 0, number_++}, absl::Seconds(second), &full_);
  }

  PendingBatchPtr batch_ = std::make_shared<PendingBatch>();
  std::vector<BodyPtr> full_;
  int64_t number_ = 0;
};

TEST_F(BodyBuilderTest, CutsAtTheLimitOfEvents) {
  BodyBuilder builder(Dialect::kAlphaSoc, {3, 1 << 20});
  for (int i = 0; i < 7; ++i) Add(builder, Dns("a"));
  ASSERT_THAT(full_, SizeIs(2));
  EXPECT_THAT(full_[1]->lines, SizeIs(3));
  EXPECT_EQ(full_[1]->lines[0].key.number, 3);
  EXPECT_EQ(full_[0]->bytes, "{\"query\":\"a\"}\n{\"query\":\"a\"}\n{\"query\":\"a\"}\n");
  EXPECT_EQ(full_[0]->text(2), "{\"query\":\"a\"}\n");
  EXPECT_FALSE(builder.empty());
}

TEST_F(BodyBuilderTest, NoBodyIsLargerThanTheLimitOfBytes) {
  BodyBuilder builder(Dialect::kAlphaSoc, {5000, 100});
  for (int i = 0; i < 10; ++i) Add(builder, Dns(std::string(30, 'q')));
  ASSERT_THAT(full_, SizeIs(4));
  size_t lines = 0;
  for (const BodyPtr& body : full_) {
    EXPECT_LE(body->bytes.size(), 100u);
    EXPECT_EQ(body->lines.back().end, body->bytes.size());
    for (const Body::Line& line : body->lines) EXPECT_EQ(line.key.number, lines++);
    EXPECT_EQ(body->batches[body->lines.back().batch], batch_);
  }
}

TEST_F(BodyBuilderTest, AnEventLargerThanABodyTravelsAlone) {
  BodyBuilder builder(Dialect::kAlphaSoc, {5000, 100});
  Add(builder, Dns("small"));
  Add(builder, Dns(std::string(300, 'q')));
  ASSERT_THAT(full_, SizeIs(2));
  EXPECT_THAT(full_[0]->lines, SizeIs(1));
  EXPECT_THAT(full_[1]->lines, SizeIs(1));
  EXPECT_TRUE(builder.empty());
}

TEST_F(BodyBuilderTest, TakesWhatIsOldEnoughAndNothingElse) {
  BodyBuilder builder(Dialect::kAlphaSoc, {});
  telemetry::v1::Event http;
  http.mutable_http()->set_url("http://a/");
  Add(builder, Dns("a"), 1);
  Add(builder, http, 2, "http");
  EXPECT_EQ(builder.oldest(), absl::Seconds(1));
  EXPECT_THAT(builder.Take(absl::Milliseconds(999)), IsEmpty());
  const auto taken = builder.Take(absl::Seconds(1));
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0]->type, "dns");
  EXPECT_EQ(builder.oldest(), absl::Seconds(2));
}

}  // namespace
}  // namespace nightjar::ae_forwarder
