// Pages of 1,000 full documents of one type, made from the recordings: nanoseconds a document,
// filling included.
//   bazel run //services/es_reader/schema:page_decoder_benchmark
#include <benchmark/benchmark.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/arena.h"
#include "services/common/status/check.h"
#include "services/es_reader/schema/page_testing.h"

namespace nightjar::es_reader {
namespace {

constexpr size_t kDocuments = 1000;

// As the pump has it: events on the arena of a batch.
class ArenaSink : public PageSink {
 public:
  telemetry::v1::Event* NewEvent() override {
    return google::protobuf::Arena::CreateMessage<telemetry::v1::Event>(&arena_);
  }
  void Done(telemetry::v1::Event*, DecodeOutcome outcome) override {
    if (outcome.kind == DecodeOutcome::Kind::kEvent) ++events;
  }

  size_t events = 0;

 private:
  google::protobuf::Arena arena_;
};

std::string PageOfType(const std::string& type) {
  std::ifstream file("services/es_reader/schema/testdata/documents.ndjson");
  std::vector<std::string> documents;
  for (std::string line; std::getline(file, line);) {
    if (absl::StrContains(line, absl::StrCat(R"("dataset":")", type, "\"")))
      documents.push_back(line);
  }
  CHECK(!documents.empty());
  std::vector<std::string> page;
  for (size_t i = 0; i < kDocuments; ++i) page.push_back(documents[i % documents.size()]);
  return TestPageOf(page);
}

void BM_Decode(benchmark::State& state, const std::string& type) {
  const http::Response response = TestResponse(PageOfType(type));
  PageDecoder decoder(DecoderOptions{});
  for (auto _ : state) {
    ArenaSink sink;
    CHECK(decoder.Decode(TestQuery(), response, sink).ok());
    CHECK(sink.events == kDocuments);
  }
  state.SetItemsProcessed(state.iterations() * kDocuments);
  state.SetBytesProcessed(state.iterations() * response.body_bytes);
}
BENCHMARK_CAPTURE(BM_Decode, flow, "flow");
BENCHMARK_CAPTURE(BM_Decode, dns, "dns");
BENCHMARK_CAPTURE(BM_Decode, http, "http");
BENCHMARK_CAPTURE(BM_Decode, tls, "tls");
BENCHMARK_CAPTURE(BM_Decode, icmp, "icmp");

}  // namespace
}  // namespace nightjar::es_reader
