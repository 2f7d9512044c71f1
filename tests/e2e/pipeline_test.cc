// The promises of the path from Elasticsearch to the engine, on real processes.
#include <signal.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/fixture.h"

namespace nightjar::e2e {
namespace {

using testing::Ge;
using testing::HasSubstr;
using testing::Le;

// A forwarder that is killed sends the bodies that were in flight again, and no more
// (docs/architecture.md).
constexpr uint64_t kRepeatedMax = 4 * 5000;

fakes::EngineFault Slow() {
  fakes::EngineFault fault;
  fault.kind = fakes::EngineFault::Kind::kSlow;
  fault.delay = absl::Milliseconds(100);
  return fault;
}

TEST_F(PipelineTest, EveryDocumentReachesTheEngineOnce) {
  Fill(1, 10000);
  StartPipeline(Options());
  Fill(10001, 12000);
  EXPECT_TRUE(Arrived(12000));
  ExpectBooksBalance();
  const Delivery delivery = Compare(12000);
  EXPECT_EQ(delivery.lost, 0u);
  EXPECT_EQ(delivery.repeated, 0u);
  EXPECT_EQ(delivery.unknown, 0u);
  // The mix of the generator: every type arrived as itself.
  const auto types = engine_.stats().accepted_by_type;
  EXPECT_EQ(types.at("dns"), 5400u);
  EXPECT_EQ(types.at("ip"), 4800u);
  EXPECT_EQ(types.at("http"), 960u);
  EXPECT_EQ(types.at("tls"), 840u);
  EXPECT_THAT(elastic_.stats().unknown_requests, testing::IsEmpty());
  EXPECT_OK(pipeline_->StopAll());
}

TEST_F(PipelineTest, AnEngineThatIsDownForAWhileLosesNothing) {
  StartPipeline(Options());
  Fill(1, 2000);
  ASSERT_TRUE(Arrived(2000));
  engine_.SetFault(fakes::EngineFault{});
  Fill(2001, 20000);
  ASSERT_TRUE(Await(absl::Seconds(20), [&] { return engine_.stats().posts > 10; }));
  EXPECT_EQ(Compare(20000).lost, 18000u);
  engine_.SetFault(std::nullopt);
  EXPECT_TRUE(Arrived(20000));
  ExpectBooksBalance();
  EXPECT_EQ(Compare(20000).repeated, 0u);
}

class KillTest : public PipelineTest, public testing::WithParamInterface<Stage> {};

TEST_P(KillTest, KillMidStreamLosesNothing) {
  engine_.SetFault(Slow());
  Fill(1, 60000);
  StartPipeline(Options());
  for (int kill = 1; kill <= 3; ++kill) {
    ASSERT_TRUE(Await(absl::Seconds(30), [&] {
      return engine_.accepted_ids().size() > static_cast<size_t>(kill) * 5000;
    }));
    pipeline_->process(GetParam()).Kill();
    ASSERT_OK(pipeline_->Start(GetParam()));
  }
  ASSERT_LT(engine_.accepted_ids().size(), 60000u) << "all was delivered before the last kill";
  engine_.SetFault(std::nullopt);
  EXPECT_TRUE(Arrived(60000));
  ExpectBooksBalance();
  const Delivery delivery = Compare(60000);
  EXPECT_EQ(delivery.lost, 0u);
  EXPECT_LE(delivery.repeated, GetParam() == Stage::kForwarder ? 3 * kRepeatedMax : 0);
  RecordProperty("repeated", static_cast<int>(delivery.repeated));
}

INSTANTIATE_TEST_SUITE_P(EachStage, KillTest, testing::ValuesIn(kStages), [](const auto& info) {
  std::string name = StageName(info.param);
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  return name;
});

TEST_F(PipelineTest, ARollingRestartLosesNothingAndRepeatsNothing) {
  engine_.SetFault(Slow());
  Fill(1, 60000);
  StartPipeline(Options());
  for (Stage stage : kStages) {
    const size_t before = engine_.accepted_ids().size();
    pipeline_->process(stage).Signal(SIGTERM);
    EXPECT_THAT(pipeline_->process(stage).Wait(absl::Seconds(30)), IsOkAndHolds(0))
        << StageName(stage) << pipeline_->Log(stage);
    ASSERT_OK(pipeline_->Start(stage));
    ASSERT_TRUE(Await(absl::Seconds(30), [&] { return engine_.accepted_ids().size() > before; }));
  }
  engine_.SetFault(std::nullopt);
  EXPECT_TRUE(Arrived(60000));
  ExpectBooksBalance();
  EXPECT_EQ(Compare(60000).repeated, 0u);
}

TEST_F(PipelineTest, BadDocumentsCostOnlyThemselves) {
  Fill(1, 500);
  elastic_.Index(kIndex, "wrong-type",
                 R"({"@timestamp":"2026-11-24T11:00:00Z","type":"dns",)"
                 R"("source":{"ip":{"not":"text"}},"dns":{"question":{"name":7}}})");
  elastic_.Index(kIndex, "surrogate",
                 R"({"@timestamp":"2026-11-24T11:00:00Z","type":"dns",)"
                 R"("source":{"ip":"10.0.0.1"},"dns":{"question":{"name":"a\ud800b"}}})");
  elastic_.Index(kIndex, "huge",
                 R"({"@timestamp":"2026-11-24T11:00:00Z","type":"http",)"
                 R"("source":{"ip":"10.0.0.1"},"url":{"full":"http://a.example/)" +
                     std::string(5 << 20, 'a') + "\"}}");
  Fill(501, 1000);
  StartPipeline(Options());
  EXPECT_TRUE(Arrived(1000));
  ExpectBooksBalance();
  auto status = pipeline_->Status(Stage::kReader);
  ASSERT_OK(status);
  EXPECT_EQ(Counted(*status, telemetry::v1::OUTCOME_QUARANTINED), 3u) << status->DebugString();
  auto quarantine =
      AwaitFile(Options().folder + "/data/es_reader/quarantine.ndjson", absl::Seconds(5));
  ASSERT_OK(quarantine);
  for (const char* id : {"wrong-type", "surrogate", "huge"})
    EXPECT_THAT(*quarantine, HasSubstr(id));
}

}  // namespace
}  // namespace nightjar::e2e
