// NFR's configuration, as AlphaSOC's guide has its reader write it, drives the three stages over
// recorded telemetry.
#include <zlib.h>

#include <array>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "simdjson.h"
#include "tests/e2e/fixture.h"

namespace nightjar::e2e {
namespace {

using telemetry::v1::OUTCOME_FILTERED;
using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

constexpr char kRecording[] = "/tests/data/captures/office.ndjson.gz";
constexpr char kConfig[] = "/services/common/config/testdata/nfr.yml";
constexpr size_t kLinesMax = 10000;  // of a type; the recording has fewer

std::vector<std::string> Recording() {
  const gzFile file = gzopen(absl::StrCat(Binaries(), kRecording).c_str(), "r");
  std::vector<std::string> documents;
  std::array<char, 1 << 16> line;
  while (file != nullptr && gzgets(file, line.data(), line.size()) != nullptr) {
    documents.emplace_back(line.data());
    documents.back().pop_back();  // the newline
  }
  gzclose(file);
  return documents;
}

using simdjson::dom::element;

// A flow and its bytes each way. Absent is not zero.
std::string FlowKey(const element& id, simdjson::simdjson_result<element> out,
                    simdjson::simdjson_result<element> in) {
  const auto number = [](const simdjson::simdjson_result<element>& value) {
    return value.error() ? "absent" : absl::StrCat(value.get_int64().value());
  };
  return absl::StrCat(id.get_c_str().value(), " out ", number(out), " in ", number(in));
}

// What the recording holds, by Packetbeat's own words.
struct Contents {
  std::map<std::string, uint64_t> datasets;
  uint64_t interim = 0;         // flow reports with addresses
  uint64_t final = 0;           // the same, of flows that have ended
  std::set<std::string> flows;  // the keys of those
};

Contents ContentsOf(const std::vector<std::string>& documents) {
  Contents contents;
  simdjson::dom::parser parser;
  for (const std::string& text : documents) {
    const element document = parser.parse(text).value();
    const std::string dataset(document["event"]["dataset"].get_string().value());
    ++contents.datasets[dataset];
    if (dataset != "flow" || document["source"]["ip"].error()) continue;
    if (!document["flow"]["final"].get_bool().value()) {
      ++contents.interim;
      continue;
    }
    ++contents.final;
    contents.flows.insert(FlowKey(document["flow"]["id"].value(), document["source"]["bytes"],
                                  document["destination"]["bytes"]));
  }
  return contents;
}

class NfrConfigTest : public PipelineTest {
 protected:
  NfrConfigTest() {
    fakes::FakeEngineOptions options;
    options.api_key = "YOUR_ALPHASOC_API_KEY";
    options.kept_lines_max = kLinesMax;
    keeping_engine_ = std::make_unique<fakes::FakeEngine>(options);
  }

  // NFR's file but for where things are. data.file stays under /run: no stage here writes it.
  std::string Config() const {
    std::ifstream file(absl::StrCat(Binaries(), kConfig));
    std::ostringstream text;
    text << file.rdbuf();
    return absl::StrReplaceAll(text.str(), {{"https://api.alphasoc.net", keeping_engine_->url()},
                                            {"http://localhost:9200", elastic_.url()},
                                            {"/run/nfr/data", absl::StrCat(folder_, "/data")}});
  }

  void Play(const std::vector<std::string>& documents) {
    // What is older than a day counts only when it arrives after the first sight of its shard.
    ASSERT_TRUE(Await(absl::Seconds(20), [&] {
      const auto status = pipeline_->Status(Stage::kReader);
      return status.ok() && status->lag_size() == 2;
    }));
    for (size_t i = 0; i < documents.size(); ++i) {
      elastic_.Index(kIndex, absl::StrCat(i), documents[i], static_cast<int>(i % 2));
    }
    ASSERT_TRUE(Await(absl::Seconds(60), [&] {
      const auto status = pipeline_->Status(Stage::kReader);
      return status.ok() && status->read_events() == documents.size() &&
             status->in_flight_events() == 0;
    }));
  }

  // Of one type: what the engine has, and what the pipeline says it left out.
  uint64_t Ended(const admin::v1::StageStatus& status, const std::string& type) const {
    uint64_t ended = keeping_engine_->lines(type).size();
    for (const auto& count : status.counts()) {
      if (count.outcome() == OUTCOME_FILTERED && count.type() == type) ended += count.count();
    }
    return ended;
  }

  std::unique_ptr<fakes::FakeEngine> keeping_engine_;
};

TEST_F(NfrConfigTest, EveryTypeArrivesAsItselfAndWhole) {
  const std::vector<std::string> documents = Recording();
  ASSERT_THAT(documents, SizeIs(29792));
  PipelineOptions options = Options();
  options.config = Config();
  StartPipeline(options);
  Play(documents);
  ExpectBooksBalance();
  const auto status = pipeline_->Status(Stage::kReader);
  ASSERT_OK(status);

  // A transaction that were also a flow, or a flow that were also TLS, would be one too many.
  const Contents recorded = ContentsOf(documents);
  EXPECT_EQ(Ended(*status, "dns"), recorded.datasets.at("dns"));
  EXPECT_EQ(Ended(*status, "ip"), recorded.datasets.at("flow"));
  EXPECT_EQ(Ended(*status, "http"), recorded.datasets.at("http"));
  EXPECT_EQ(Ended(*status, "tls"), recorded.datasets.at("tls"));
  EXPECT_EQ(Counted(*status, OUTCOME_FILTERED, "flow_update"), recorded.interim);
  EXPECT_EQ(Counted(*status, OUTCOME_FILTERED, "icmp_transaction"), recorded.datasets.at("icmp"));

  for (const char* type : {"dns", "ip", "http", "tls"}) {
    EXPECT_GT(keeping_engine_->lines(type).size(), 0u) << type;
  }
  EXPECT_THAT(keeping_engine_->lines("dns"), Each(HasSubstr(R"("query":")")));
  EXPECT_THAT(keeping_engine_->lines("http"), Each(HasSubstr(R"("url":"http://)")));
  EXPECT_THAT(keeping_engine_->lines("tls"), Each(HasSubstr(R"("ja3":")")));
  const std::vector<std::string> flows = keeping_engine_->lines("ip");
  EXPECT_THAT(flows, Each(HasSubstr(R"("proto":")")));
  EXPECT_EQ(flows.size() + Counted(*status, OUTCOME_FILTERED, "not_in_scope") +
                Counted(*status, OUTCOME_FILTERED, "trusted_ip"),
            recorded.final);
  simdjson::dom::parser parser;
  for (const std::string& line : flows) {
    const element flow = parser.parse(line).value();
    const std::string key = FlowKey(flow["connID"].value(), flow["bytesOut"], flow["bytesIn"]);
    EXPECT_EQ(recorded.flows.count(key), 1u) << key;
  }
}

TEST_F(NfrConfigTest, StateThatDiesWithARebootIsWarnedOf) {
  PipelineOptions options = Options();
  options.config = Config();
  StartPipeline(options);
  for (Stage stage : {Stage::kReader, Stage::kForwarder}) {  // the scorer has no state
    EXPECT_THAT(pipeline_->Log(stage), HasSubstr("/run/nfr.data dies with a reboot"))
        << StageName(stage);
  }
}

}  // namespace
}  // namespace nightjar::e2e
