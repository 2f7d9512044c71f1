// What a person sees when something is wrong: one clear line, no crash, and it heals.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/fixture.h"

namespace nightjar::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ConditionTest : public PipelineTest {
 protected:
  // Waits until the stage's reason holds `text`.
  bool Says(Stage stage, const std::string& text) {
    return Await(absl::Seconds(20), [&] {
      auto status = pipeline_->Status(stage);
      return status.ok() && status->state() == admin::v1::STATE_DEGRADED &&
             status->reason().find(text) != std::string::npos;
    });
  }
  bool Ready(Stage stage) {
    return Await(absl::Seconds(20), [&] {
      auto status = pipeline_->Status(stage);
      return status.ok() && status->state() == admin::v1::STATE_READY;
    });
  }
  std::string Reason(Stage stage) {
    auto status = pipeline_->Status(stage);
    return status.ok() ? status->reason() : status.status().ToString();
  }
  // How many lines of the stage's log hold `text`.
  int Lines(Stage stage, const std::string& text) {
    int lines = 0;
    const std::string log = pipeline_->Log(stage);
    for (size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++lines;
    return lines;
  }
};

TEST_F(ConditionTest, AWrongEngineKeyHoldsEverythingAndHealsWithoutLoss) {
  engine_.SetApiKey("another-key");
  Fill(1, 3000);
  StartPipeline(Options());
  EXPECT_TRUE(Says(Stage::kForwarder, "401")) << Reason(Stage::kForwarder);
  EXPECT_EQ(engine_.stats().accepted, 0u);
  engine_.SetApiKey("test-key");
  EXPECT_TRUE(Arrived(3000, absl::Seconds(90)));
  EXPECT_TRUE(Ready(Stage::kForwarder)) << Reason(Stage::kForwarder);
  ExpectBooksBalance();
}

TEST_F(ConditionTest, AnEngineThatAnswersHtmlIsNotBelieved) {
  fakes::EngineFault fault;
  fault.kind = fakes::EngineFault::Kind::kHtml;
  engine_.SetFault(fault);
  Fill(1, 1000);
  StartPipeline(Options());
  EXPECT_TRUE(Says(Stage::kForwarder, "HTML")) << Reason(Stage::kForwarder);
  engine_.SetFault(std::nullopt);
  EXPECT_TRUE(Arrived(1000));
  EXPECT_EQ(Compare(1000).repeated, 0u);
  ExpectBooksBalance();
}

TEST_F(ConditionTest, AnIndexThatIsNotThereYetIsWaitedFor) {
  elastic_.DeleteIndex(kIndex);
  StartPipeline(Options());
  EXPECT_TRUE(Says(Stage::kReader, "packetbeat-*")) << Reason(Stage::kReader);
  elastic_.CreateIndex(kIndex, 2);
  Fill(1, 1000);
  EXPECT_TRUE(Arrived(1000));
  EXPECT_TRUE(Ready(Stage::kReader)) << Reason(Stage::kReader);
}

TEST_F(ConditionTest, AClosedIndexStallsItselfOnly) {
  elastic_.CreateIndex("packetbeat-7.17.29-closed", 1);
  elastic_.CloseIndex("packetbeat-7.17.29-closed", true);
  Fill(1, 1000);
  StartPipeline(Options());
  EXPECT_TRUE(Arrived(1000));
  EXPECT_TRUE(Says(Stage::kReader, "packetbeat-7.17.29-closed")) << Reason(Stage::kReader);
}

TEST_F(ConditionTest, AnElasticsearchThatIsAwayIsNamedOnce) {
  PipelineOptions options = Options();
  options.elasticsearch_url = "http://127.0.0.1:9";
  StartPipeline(options);
  EXPECT_TRUE(Says(Stage::kReader, "127.0.0.1:9")) << Reason(Stage::kReader);
  EXPECT_TRUE(pipeline_->process(Stage::kReader).Running());
  EXPECT_EQ(Lines(Stage::kReader, "127.0.0.1:9"), 1) << pipeline_->Log(Stage::kReader);
}

class PasswordTest : public ConditionTest {
 protected:
  PasswordTest() : guarded_({"elastic", "right"}) {}
  fakes::FakeElasticsearch guarded_;
};

TEST_F(PasswordTest, AWrongPasswordIsSaidAndHealsWhenTheServerAcceptsIt) {
  guarded_.CreateIndex(kIndex);
  PipelineOptions options = Options();
  options.elasticsearch_url = guarded_.url();
  options.username = "elastic";
  options.password = "wrong";
  StartPipeline(options);
  EXPECT_TRUE(Says(Stage::kReader, "401")) << Reason(Stage::kReader);
  EXPECT_THAT(pipeline_->Log(Stage::kReader), testing::Not(HasSubstr("wrong-password-text")));
  guarded_.SetPassword("wrong");
  EXPECT_TRUE(Ready(Stage::kReader)) << Reason(Stage::kReader);
}

struct BadStart {
  const char* name;
  const char* extra_config;
  Stage stage;
  const char* says;
};

class BadStartTest : public ConditionTest, public testing::WithParamInterface<BadStart> {};

TEST_P(BadStartTest, IsRefusedWithOneClearLine) {
  PipelineOptions options = Options();
  options.extra_config = GetParam().extra_config;
  pipeline_ = std::make_unique<Pipeline>(options);
  // An exit before serving ends the wait for the address file with what the stage had to say.
  const absl::Status status = pipeline_->Start(GetParam().stage);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal,
                               AllOf(HasSubstr("exited with 78"), HasSubstr(GetParam().says))));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadStartTest,
    testing::Values(BadStart{"UnknownKey", "forwarder:\n  posts_in_fligth_max: 2\n",
                             Stage::kForwarder, "posts_in_flight_max"},
                    BadStart{"MissingScopeFile", "scope:\n  file: /nonexistent/scope.yml\n",
                             Stage::kScorer, "/nonexistent/scope.yml"},
                    BadStart{"PlainTextOffLoopback",
                             "security:\n  flow_peers: [reader]\n  ca_file: /no/ca.pem\n",
                             Stage::kScorer, "/no/ca.pem"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace nightjar::e2e
