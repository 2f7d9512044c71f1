// The client against a real node: run by hand, with an empty Elasticsearch or OpenSearch at
// $ELASTICSEARCH_URL.
//   bazel test --test_env=ELASTICSEARCH_URL=http://127.0.0.1:9200
//   //services/es_reader/elastic:real_node_test
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/clock.h"
#include "services/common/status/status_macros.h"
#include "services/common/status/status_matchers.h"
#include "services/es_reader/elastic/elastic_client.h"
#include "services/es_reader/schema/page_testing.h"

namespace nightjar::es_reader {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr char kIndex[] = "packetbeat-node-test";
constexpr char kDocuments[] = "services/es_reader/schema/testdata/documents.ndjson";

class RealNodeTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* url = std::getenv("ELASTICSEARCH_URL");
    ASSERT_NE(url, nullptr) << "set ELASTICSEARCH_URL";
    options_.hosts = {url};
    pool_ = std::make_unique<NodePool>(options_.hosts, SystemClock());
    client_ = std::make_unique<ElasticClient>(*pool_, options_);
    Call("DELETE", absl::StrCat("/", kIndex), "");
  }

  // Anything else than the client's own calls.
  std::string Call(const std::string& method, const std::string& path, const std::string& body) {
    http::HttpClient http(options_.endpoint);
    http::Request request;
    request.method = method;
    request.url = options_.hosts[0] + path;
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = body;
    http::Response response;
    EXPECT_OK(http.Send(request, &response));
    return std::string(response.body());
  }

  void Create(const std::string& name, const std::string& settings) {
    EXPECT_THAT(Call("PUT", "/" + name, absl::StrCat(R"({"settings":{)", settings, "}}")),
                HasSubstr("acknowledged"));
  }

  // Sends the lines as they are; true if all were taken.
  bool Bulk(const std::vector<std::string>& documents) {
    std::string body;
    for (size_t i = 0; i < documents.size(); ++i) {
      absl::StrAppend(&body, R"({"create":{"_id":"doc-)", i, "\"}}\n", documents[i], "\n");
    }
    return absl::StrContains(Call("POST", absl::StrCat("/", kIndex, "/_bulk"), body),
                             "\"errors\":false");
  }

  WindowQuery Window() {
    const auto shards = client_->Stats({"packetbeat-*"});
    EXPECT_OK(shards);
    WindowQuery query;
    if (!shards.ok() || shards->empty()) return query;
    query.index = kIndex;
    query.node = shards->front().node;
    query.to = shards->front().global_checkpoint;
    return query;
  }

  absl::Status Read(const WindowQuery& query) {
    http::Response response;
    RETURN_IF_ERROR(client_->Search(query, &response));
    sink_ = CollectingSink();
    return PageDecoder(DecoderOptions{}).Decode(query, response, sink_);
  }

  ElasticOptions options_;
  std::unique_ptr<NodePool> pool_;
  std::unique_ptr<ElasticClient> client_;
  CollectingSink sink_;
};

TEST_F(RealNodeTest, RecordedDocumentsComeBackAsEvents) {
  Create(kIndex, R"("number_of_shards":1,"number_of_replicas":0,"refresh_interval":"-1")");
  std::vector<std::string> documents;
  std::ifstream file(kDocuments);
  for (std::string line; std::getline(file, line);) documents.push_back(line);
  ASSERT_TRUE(Bulk(documents));

  const auto indices = client_->Resolve({"packetbeat-*"});
  ASSERT_OK(indices);
  EXPECT_EQ(indices->front().name, kIndex);
  EXPECT_EQ(indices->front().shards, 1);
  EXPECT_LT(indices->front().refresh_interval, absl::ZeroDuration());
  EXPECT_GT(indices->front().created, absl::FromUnixSeconds(1));

  const WindowQuery query = Window();
  EXPECT_EQ(query.to, static_cast<int64_t>(documents.size()) - 1);
  ASSERT_OK(Read(query));
  EXPECT_EQ(sink_.events.size(), 0u) << "nothing is visible before a refresh";
  const uint64_t before = client_->Stats({kIndex})->front().external_refresh_total;
  const auto refreshed = client_->Refresh(kIndex);
  ASSERT_OK(refreshed);
  EXPECT_EQ(refreshed->successful, 1);
  EXPECT_GT(client_->Stats({kIndex})->front().external_refresh_total, before);
  ASSERT_OK(Read(query));
  ASSERT_EQ(sink_.events.size(), documents.size());
  for (const DecodeOutcome& outcome : sink_.outcomes) EXPECT_EQ(outcome.reason, "");
  EXPECT_THAT(client_->Count(query), IsOkAndHolds(static_cast<int64_t>(documents.size())));
}

TEST_F(RealNodeTest, OddDocumentsCostOnlyThemselves) {
  Create(kIndex, R"("number_of_shards":1,"number_of_replicas":0)");
  Call("PUT", absl::StrCat("/", kIndex, "/_mapping"), R"({"dynamic":false})");
  const std::string good = R"({"type":"flow","@timestamp":"2026-11-24"})";
  ASSERT_TRUE(Bulk({good, R"({"type":"flow","@timestamp":"2026-11-24","x":"\ud800"})",
                    R"({"type":"flow","@timestamp":"2026-11-24","source":{"ip":"\ud800"}})",
                    R"({"type":"flow","@timestamp":"2026-11-24" /* } " */ ,"source":{"port":1}})",
                    R"({"type":"flow","@timestamp":"2026-11-24","source":{"port":"x"}})", good}));
  ASSERT_OK(client_->Refresh(kIndex));
  ASSERT_OK(Read(Window()));
  std::vector<std::string> reasons;
  for (const DecodeOutcome& outcome : sink_.outcomes) reasons.emplace_back(outcome.reason);
  EXPECT_THAT(reasons, testing::ElementsAre("", "", "bad_string", "bad_json", "wrong_type", ""));
}

TEST_F(RealNodeTest, TheStartIsTheFirstNumberThatIsYoungEnough) {
  Create(kIndex, R"("number_of_shards":1,"number_of_replicas":0)");
  ASSERT_TRUE(
      Bulk({R"({"@timestamp":"2026-01-01"})", R"({"@timestamp":"2026-02-01"})", R"({"x":1})"}));
  ASSERT_OK(client_->Refresh(kIndex));
  const auto first = [&](absl::CivilDay day) {
    return client_->FirstSeqNoSince(kIndex, 0, Window().node,
                                    absl::FromCivil(day, absl::UTCTimeZone()));
  };
  EXPECT_THAT(first(absl::CivilDay(2025, 1, 1)), IsOkAndHolds(std::optional<int64_t>(0)));
  EXPECT_THAT(first(absl::CivilDay(2026, 1, 15)), IsOkAndHolds(std::optional<int64_t>(1)));
  EXPECT_THAT(first(absl::CivilDay(2026, 3, 1)), IsOkAndHolds(std::optional<int64_t>(2)));
}

TEST_F(RealNodeTest, FiltersNameWhatMatched) {
  Create(kIndex, R"("number_of_shards":1,"number_of_replicas":0)");
  ASSERT_TRUE(Bulk({R"({"n":1})", R"({"n":2})"}));
  ASSERT_OK(client_->Refresh(kIndex));
  WindowQuery query = Window();
  query.filters = {{"0", R"({"term":{"n":1}})"}};
  ASSERT_OK(Read(query));
  EXPECT_EQ(sink_.events.size(), 1u);
  EXPECT_THAT(client_->Count(query), IsOkAndHolds(2));
  query.filters.push_back({"1", ""});
  http::Response response;
  ASSERT_OK(client_->Search(query, &response));
  EXPECT_THAT(std::string(response.body()), HasSubstr(R"("matched_queries":["0","1"])"));
}

TEST_F(RealNodeTest, FailuresAreToldApart) {
  EXPECT_THAT(client_->Resolve({"packetbeat-*"}), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(client_->Resolve({"packetbeat-none"}), StatusIs(StatusCode::kNotFound));
  Create(kIndex, R"("number_of_shards":1,"number_of_replicas":0)");
  WindowQuery query = Window();
  const std::string node = query.node;
  query.node = "nosuchnode";
  EXPECT_THAT(Read(query), StatusIs(StatusCode::kAborted));
  query.node = node;
  query.shard = 9;
  EXPECT_THAT(Read(query), StatusIs(StatusCode::kUnavailable));
  query.shard = 0;
  query.size = 20000;
  EXPECT_THAT(Read(query), StatusIs(StatusCode::kInvalidArgument, HasSubstr("Result window")));
  query.size = 1000;
  Call("POST", absl::StrCat("/", kIndex, "/_close"), "");
  EXPECT_THAT(Read(query), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_TRUE(client_->Resolve({"packetbeat-*"})->front().closed);
  EXPECT_THAT(client_->Stats({"packetbeat-*"}), IsOkAndHolds(testing::IsEmpty()));
  EXPECT_OK(client_->Stats({kIndex})) << "a closed index named outright must not fail the others";
  Call("DELETE", absl::StrCat("/", kIndex), "");
  EXPECT_THAT(Read(query), StatusIs(StatusCode::kNotFound));
}

}  // namespace
}  // namespace nightjar::es_reader
