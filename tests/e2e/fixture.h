// A pipeline between a fake Elasticsearch and a fake engine, and the oracle that compares both
// ends.
#ifndef TESTS_E2E_FIXTURE_H_
#define TESTS_E2E_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/e2e/pipeline.h"
#include "tests/fakes/fake_elasticsearch.h"
#include "tests/fakes/fake_engine.h"

namespace nightjar::e2e {

inline constexpr char kIndex[] = "packetbeat-7.17.29-2026.11.24";

// The folder with the built binaries, in a test.
std::string Binaries();

class PipelineTest : public testing::Test {
 protected:
  PipelineTest();
  void SetUp() override;
  void TearDown() override;

  // Options for a pipeline between the two fakes; change and call StartPipeline.
  PipelineOptions Options() const;
  void StartPipeline(PipelineOptions options);

  // Indexes generated documents with the ids [first, last], spread over the index's two shards.
  void Fill(uint64_t first, uint64_t last);

  // Waits until the engine has every id of [1, last].
  bool Arrived(uint64_t last, absl::Duration timeout = absl::Seconds(60));

  struct Delivery {
    uint64_t lost = 0;
    uint64_t repeated = 0;  // deliveries beyond the first
    uint64_t unknown = 0;   // ids that were never indexed
  };
  Delivery Compare(uint64_t last) const;

  // The books of every stage that runs balance and nothing is in flight any more.
  void ExpectBooksBalance();

  fakes::FakeElasticsearch elastic_;
  fakes::FakeEngine engine_;
  std::unique_ptr<Pipeline> pipeline_;
  std::string folder_;
};

}  // namespace nightjar::e2e

#endif  // TESTS_E2E_FIXTURE_H_
