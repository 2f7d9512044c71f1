// The same promises on a real Elasticsearch node: live writes, kills on both sides, a restart of
// the node.
#include "tests/e2e/real_elasticsearch.h"

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/elastic_admin.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/telemetry.h"

namespace nightjar::e2e {
namespace {

constexpr uint64_t kDocuments = 30000;
constexpr uint64_t kBulk = 250;
constexpr uint64_t kRepeatedMax = 4 * 5000;  // per kill of the forwarder (docs/architecture.md)

class RealElasticsearchTest : public PipelineTest {
 protected:
  RealElasticsearchTest()
      : real_(absl::StrCat(Binaries(), "/deploy/local/elasticsearch/elasticsearch.sh"),
              absl::StrCat(testing::TempDir(), "/elasticsearch")) {}

  void SetUp() override {
    ASSERT_OK(real_.Start());
    ElasticAdmin admin(real_.url());
    ASSERT_OK(
        admin.PutTemplate(absl::StrCat(Binaries(), "/tests/data/captures/index-template.json")));
    ASSERT_OK(admin.CreateIndex(kIndex, 3, "1s"));
  }

  // Writes ids [1, kDocuments] as Packetbeat does, with whole-second event.ingested, on one thread.
  void WriteAll() {
    ElasticAdmin admin(real_.url());
    DocumentOptions document;
    document.whole_seconds = true;
    for (uint64_t from = 1; from <= kDocuments; from += kBulk) {
      std::vector<BulkItem> items;
      for (uint64_t id = from; id < from + kBulk; ++id) {
        document.time = TestNow();
        items.push_back({absl::StrCat("nj", id, "x"), MakeDocument(MixedType(id), id, document)});
      }
      const absl::Status status = admin.Bulk(kIndex, items);
      EXPECT_OK(status);
      if (!status.ok()) return;
      written_ += kBulk;
    }
  }

  bool Written(uint64_t count) {
    return Await(absl::Seconds(60), [&] { return written_ >= count; });
  }

  RealElasticsearch real_;
  std::atomic<uint64_t> written_{0};
};

TEST_F(RealElasticsearchTest, KillsOnBothSidesWhileDocumentsFlowLoseNothing) {
  PipelineOptions options = Options();
  options.elasticsearch_url = real_.url();
  StartPipeline(options);
  std::thread writer([&] { WriteAll(); });

  EXPECT_TRUE(Written(kDocuments / 6));
  pipeline_->process(Stage::kReader).Kill();
  EXPECT_OK(pipeline_->Start(Stage::kReader));
  EXPECT_TRUE(Written(kDocuments * 2 / 6));
  pipeline_->process(Stage::kForwarder).Kill();
  EXPECT_OK(pipeline_->Start(Stage::kForwarder));
  EXPECT_TRUE(Written(kDocuments * 3 / 6));
  real_.Kill();
  EXPECT_OK(real_.Start());
  EXPECT_TRUE(Written(kDocuments * 4 / 6));
  pipeline_->process(Stage::kScorer).Kill();
  EXPECT_OK(pipeline_->Start(Stage::kScorer));

  writer.join();
  ASSERT_EQ(written_, kDocuments);
  EXPECT_TRUE(Arrived(kDocuments, absl::Seconds(120)));
  ExpectBooksBalance();
  const Delivery delivery = Compare(kDocuments);
  EXPECT_EQ(delivery.lost, 0u);
  EXPECT_EQ(delivery.unknown, 0u);
  EXPECT_LE(delivery.repeated, kRepeatedMax);
  EXPECT_OK(pipeline_->StopAll());
}

}  // namespace
}  // namespace nightjar::e2e
