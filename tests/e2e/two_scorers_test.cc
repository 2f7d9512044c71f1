// Several scorers behind one reader: both work, and one that dies costs nothing.
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/stages.h"

namespace nightjar::e2e {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr uint64_t kDocuments = 60000;

class TwoScorersTest : public PipelineTest {
 protected:
  TwoScorersTest() {
    StagesOptions options;
    options.folder = folder_;
    options.binaries = Binaries();
    options.config = absl::StrCat("engine: {host: \"", engine_.url(), "\", api_key: test-key}\n",
                                  "inputs: {elastic: {enabled: true, hosts: [\"", elastic_.url(),
                                  "\"], searches: [");
    for (const char* type : {"dns", "ip", "http", "tls"}) {
      absl::StrAppend(&options.config, "{event_type: ", type, ", indices: [\"packetbeat-*\"]},");
    }
    absl::StrAppend(&options.config, "]}}\noutputs: {enabled: false}\n",
                    "reader: {start: earliest, poll_interval: 200ms}\n");
    stages_ = std::make_unique<Stages>(std::move(options));
  }

  void TearDown() override {
    if (!HasFailure()) return;
    for (const char* name : {"ae-forwarder", "scorer", "scorer-2", "es-reader"}) {
      std::fprintf(stderr, "--- %s\n%s\n", name, stages_->Log(name).c_str());
    }
  }

  uint64_t ReadBy(const std::string& name) {
    const auto status = stages_->Status(name);
    return status.ok() ? status->read_events() : 0;
  }

  std::unique_ptr<Stages> stages_;
};

TEST_F(TwoScorersTest, BothGetAShareAndAKillOfOneLosesAndRepeatsNothing) {
  fakes::EngineFault slow;
  slow.kind = fakes::EngineFault::Kind::kSlow;
  slow.delay = absl::Milliseconds(100);
  engine_.SetFault(slow);
  for (const char* name : {"ae-forwarder", "scorer", "scorer-2", "es-reader"}) {
    ASSERT_OK(stages_->Start(name));
  }
  Fill(1, kDocuments);
  for (const char* victim : {"scorer-2", "scorer", "scorer-2"}) {
    const size_t before = engine_.accepted_ids().size();
    ASSERT_LT(before, kDocuments) << "all was delivered before the last kill";
    ASSERT_TRUE(Await(kPatience, [&] { return ReadBy(victim) > 0; })) << victim << " has no share";
    stages_->process(victim).Kill();
    // The other one goes on.
    ASSERT_TRUE(Await(kPatience, [&] { return engine_.accepted_ids().size() > before + 5000; }));
    ASSERT_OK(stages_->Start(victim));
  }
  engine_.SetFault(std::nullopt);
  EXPECT_TRUE(Arrived(kDocuments));
  const Delivery delivery = Compare(kDocuments);
  EXPECT_EQ(delivery.lost, 0u);
  EXPECT_EQ(delivery.repeated, 0u);
  for (const char* name : {"es-reader", "ae-forwarder"}) {
    absl::StatusOr<admin::v1::StageStatus> status;
    EXPECT_TRUE(Await(kPatience, [&] {
      status = stages_->Status(name);
      return status.ok() && status->in_flight_events() == 0;
    })) << name;
    EXPECT_EQ(BooksDifference(*status), 0) << status->DebugString();
  }
  EXPECT_OK(stages_->Stop({"es-reader", "scorer", "scorer-2", "ae-forwarder"}));
}

}  // namespace
}  // namespace nightjar::e2e
