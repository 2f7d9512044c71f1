#include "tests/e2e/fixture.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/telemetry.h"

namespace nightjar::e2e {

std::string Binaries() {
  return absl::StrCat(std::getenv("TEST_SRCDIR"), "/", std::getenv("TEST_WORKSPACE"));
}

PipelineTest::PipelineTest() : folder_(absl::StrCat(testing::TempDir(), "/pipeline-XXXXXX")) {
  // A parameterised test must not find the state of the one before.
  CHECK(mkdtemp(folder_.data()) != nullptr);
}

void PipelineTest::SetUp() { elastic_.CreateIndex(kIndex, 2); }

void PipelineTest::TearDown() {
  if (!HasFailure() || pipeline_ == nullptr) return;
  for (Stage stage : kStages) {
    const std::string log = pipeline_->Log(stage);
    const size_t from = log.size() > 4000 ? log.size() - 4000 : 0;
    std::fprintf(stderr, "--- %s\n%s\n", StageName(stage), log.substr(from).c_str());
    const auto status = pipeline_->Status(stage);
    if (status.ok()) std::fprintf(stderr, "%s\n", status->DebugString().c_str());
  }
}

PipelineOptions PipelineTest::Options() const {
  PipelineOptions options;
  options.elasticsearch_url = elastic_.url();
  options.engine_url = engine_.url();
  options.folder = absl::StrCat(testing::TempDir(), "/",
                                testing::UnitTest::GetInstance()->current_test_info()->line());
  options.binaries = Binaries();
  return options;
}

void PipelineTest::StartPipeline(PipelineOptions options) {
  pipeline_ = std::make_unique<Pipeline>(std::move(options));
  ASSERT_OK(pipeline_->StartAll());
}

void PipelineTest::Fill(uint64_t first, uint64_t last) {
  DocumentOptions document;
  for (uint64_t id = first; id <= last; ++id) {
    document.time = TestNow();
    elastic_.Index(kIndex, absl::StrCat("nj", id, "x"), MakeDocument(MixedType(id), id, document),
                   static_cast<int>(id % 2));
  }
}

bool PipelineTest::Arrived(uint64_t last, absl::Duration timeout) {
  return Await(timeout, [&] { return Compare(last).lost == 0; });
}

PipelineTest::Delivery PipelineTest::Compare(uint64_t last) const {
  Delivery delivery;
  uint64_t arrived = 0;
  for (const auto& [id, times] : engine_.accepted_ids()) {
    if (id < 1 || id > last) {
      ++delivery.unknown;
      continue;
    }
    ++arrived;
    delivery.repeated += times - 1;
  }
  delivery.lost = last - arrived;
  return delivery;
}

void PipelineTest::ExpectBooksBalance() {
  for (Stage stage : kStages) {
    if (!pipeline_->process(stage).Running()) continue;
    absl::StatusOr<admin::v1::StageStatus> status;
    EXPECT_TRUE(Await(absl::Seconds(20), [&] {
      status = pipeline_->Status(stage);
      return status.ok() && status->in_flight_events() == 0;
    })) << StageName(stage);
    ASSERT_OK(status);
    EXPECT_EQ(BooksDifference(*status), 0) << status->DebugString();
  }
}

}  // namespace nightjar::e2e
