#include "services/es_reader/elastic/elastic_client.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/status/status_matchers.h"
#include "services/es_reader/schema/page_testing.h"
#include "tests/fakes/fake_elasticsearch.h"

namespace nightjar::es_reader {
namespace {

using absl::StatusCode;
using fakes::ElasticFault;
using fakes::FakeElasticsearch;
using testing::HasSubstr;
using testing::Not;

constexpr char kIndex[] = "packetbeat-1";

ElasticOptions OptionsFor(const FakeElasticsearch& server) {
  ElasticOptions options;
  options.hosts = {server.url()};
  return options;
}

class ElasticClientTest : public testing::Test {
 protected:
  ElasticClientTest() { server_.CreateIndex(kIndex, 2); }

  WindowQuery Window(int shard = 0) {
    WindowQuery query;
    query.index = kIndex;
    query.shard = shard;
    query.to = 999;
    const auto shards = client_.Stats({"packetbeat-*"});
    EXPECT_OK(shards);
    for (const ShardStats& stats : *shards) {
      if (stats.shard == shard) query.node = stats.node;
    }
    return query;
  }

  void Fail(const char* path, ElasticFault::Kind kind) {
    ElasticFault fault;
    fault.kind = kind;
    server_.SetFault(path, fault);
  }
  void Fail(const char* path, int status, const char* body, const char* type = "application/json") {
    ElasticFault fault;
    fault.status = status;
    fault.body = body;
    fault.content_type = type;
    server_.SetFault(path, fault);
  }

  SimulatedClock clock_;
  FakeElasticsearch server_;
  NodePool pool_{{server_.url()}, clock_};
  ElasticClient client_{pool_, OptionsFor(server_)};
};

TEST_F(ElasticClientTest, ResolveNamesTheIndicesAndSaysWhichAreClosed) {
  server_.CreateIndex("packetbeat-2");
  server_.CreateIndex("nightjar-state");
  server_.CreateIndex("other");
  server_.CloseIndex("packetbeat-2", true);
  const auto indices = client_.Resolve({"packetbeat-*", "nightjar-*"});
  ASSERT_OK(indices);
  ASSERT_EQ(indices->size(), 2u);
  EXPECT_EQ(indices->at(0).name, kIndex);
  EXPECT_EQ(indices->at(0).shards, 2);
  EXPECT_FALSE(indices->at(0).uuid.empty());
  EXPECT_FALSE(indices->at(0).closed);
  EXPECT_TRUE(indices->at(1).closed);
}

TEST_F(ElasticClientTest, NoIndexYetIsNotFound) {
  EXPECT_THAT(client_.Resolve({"none-*"}),
              StatusIs(StatusCode::kNotFound, HasSubstr("no index yet that matches none-*")));
}

TEST_F(ElasticClientTest, StatsFollowEachShard) {
  server_.Index(kIndex, "a", "{}", 1);
  server_.Index(kIndex, "b", "{}", 1);
  const auto shards = client_.Stats({"packetbeat-*"});
  ASSERT_OK(shards);
  ASSERT_EQ(shards->size(), 2u);
  EXPECT_EQ(shards->at(0).global_checkpoint, -1);
  EXPECT_EQ(shards->at(1).global_checkpoint, 1);
  EXPECT_EQ(shards->at(1).docs, 2u);
  EXPECT_NE(shards->at(0).epoch(), shards->at(1).epoch());
  server_.SetShardAvailable(kIndex, 0, false);
  EXPECT_EQ(client_.Stats({"packetbeat-*"})->size(), 1u);
}

TEST_F(ElasticClientTest, AWindowComesBackWholeAndDecodes) {
  for (int i = 0; i < 5; ++i) {
    server_.Index(kIndex, "doc-" + std::to_string(i),
                  R"({"type":"flow","@timestamp":"2026-11-24"})");
  }
  WindowQuery query = Window();
  query.from = 0;
  query.to = 3;
  http::Response response;
  ASSERT_OK(client_.Search(query, &response));
  PageDecoder decoder(DecoderOptions{});
  CollectingSink sink;
  ASSERT_OK(decoder.Decode(query, response, sink));
  ASSERT_EQ(sink.events.size(), 3u);
  EXPECT_EQ(sink.events[0].document_id(), "doc-1");

  query.seq_nos = {2};
  sink = CollectingSink();
  ASSERT_OK(client_.Search(query, &response));
  ASSERT_OK(decoder.Decode(query, response, sink));
  ASSERT_EQ(sink.events.size(), 1u);
  EXPECT_EQ(sink.events[0].seq_no(), 2u);
}

TEST_F(ElasticClientTest, CountAndFirstNumber) {
  server_.Index(kIndex, "old", R"({"@timestamp":"2026-01-01T00:00:00Z"})");
  server_.Index(kIndex, "gone", R"({"@timestamp":"2026-03-01T00:00:00Z"})");
  server_.Delete(kIndex, "gone");
  server_.Index(kIndex, "new", R"({"@timestamp":"2026-02-01T00:00:00Z"})");
  EXPECT_THAT(client_.Count(Window()), IsOkAndHolds(2));
  const std::string node = Window().node;
  const auto first = [&](absl::CivilDay day) {
    return client_.FirstSeqNoSince(kIndex, 0, node, absl::FromCivil(day, absl::UTCTimeZone()));
  };
  EXPECT_THAT(first(absl::CivilDay(2026, 1, 15)), IsOkAndHolds(std::optional<int64_t>(3)));
  EXPECT_THAT(first(absl::CivilDay(2025, 1, 1)), IsOkAndHolds(std::optional<int64_t>(0)));
  EXPECT_THAT(first(absl::CivilDay(2026, 2, 2)), IsOkAndHolds(std::optional<int64_t>()));
}

TEST_F(ElasticClientTest, ARefreshMakesDocumentsVisible) {
  server_.CreateIndex("packetbeat-slow", 1, /*refresh_at_once=*/false);
  server_.Index("packetbeat-slow", "a", "{}");
  WindowQuery query = Window();
  query.index = "packetbeat-slow";
  EXPECT_THAT(client_.Count(query), IsOkAndHolds(0));
  const auto refreshed = client_.Refresh("packetbeat-slow");
  ASSERT_OK(refreshed);
  EXPECT_EQ(refreshed->successful, 1);
  EXPECT_THAT(client_.Count(query), IsOkAndHolds(1));
}

TEST_F(ElasticClientTest, FailureIsNeverEmptiness) {
  server_.Index(kIndex, "a", "{}");
  const WindowQuery query = Window();
  Fail("_search", ElasticFault::Kind::kPartialShards);
  EXPECT_THAT(client_.Count(query),
              StatusIs(StatusCode::kUnavailable, HasSubstr("/packetbeat-1/_search: ")));
  EXPECT_THAT(client_.FirstSeqNoSince(kIndex, 0, query.node, absl::UnixEpoch()),
              StatusIs(StatusCode::kUnavailable));
  http::Response response;
  ASSERT_OK(client_.Search(query, &response));
  CollectingSink sink;
  EXPECT_THAT(PageDecoder(DecoderOptions{}).Decode(query, response, sink),
              StatusIs(StatusCode::kUnavailable));
  Fail("_search", ElasticFault::Kind::kTimedOut);
  EXPECT_THAT(client_.Count(query), StatusIs(StatusCode::kUnavailable));
}

TEST_F(ElasticClientTest, AShardThatHasMovedIsAborted) {
  const WindowQuery query = Window(1);
  server_.SetShardAvailable(kIndex, 1, false);
  http::Response response;
  EXPECT_THAT(client_.Search(query, &response), StatusIs(StatusCode::kAborted));
}

TEST_F(ElasticClientTest, AClosedIndexAndAMissingOneAreToldApart) {
  const WindowQuery query = Window();
  http::Response response;
  server_.CloseIndex(kIndex, true);
  EXPECT_THAT(client_.Search(query, &response), StatusIs(StatusCode::kFailedPrecondition));
  server_.DeleteIndex(kIndex);
  EXPECT_THAT(client_.Search(query, &response), StatusIs(StatusCode::kNotFound));
}

TEST_F(ElasticClientTest, WrongPasswordsAreNamedWithoutBeingShown) {
  FakeElasticsearch server({"reader", "right"});
  ElasticOptions options = OptionsFor(server);
  options.endpoint.basic_user = "reader";
  options.endpoint.basic_password = config::Secret("hunter2");
  NodePool pool(options.hosts, clock_);
  ElasticClient client(pool, options);
  const auto indices = client.Resolve({"a"});
  EXPECT_THAT(indices, StatusIs(StatusCode::kUnauthenticated, HasSubstr("check the user")));
  EXPECT_THAT(std::string(indices.status().message()), Not(HasSubstr("hunter2")));
  server.SetPassword("hunter2");
  EXPECT_THAT(client.Resolve({"a"}), StatusIs(StatusCode::kNotFound));
}

TEST_F(ElasticClientTest, MissingPrivilegesNameTheAction) {
  Fail("_stats", 403,
       R"({"error":{"type":"security_exception",)"
       R"("reason":"action [indices:monitor/stats] is unauthorized for user [r]"}})");
  EXPECT_THAT(client_.Stats({"a"}),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("indices:monitor/stats")));
}

TEST_F(ElasticClientTest, HtmlIsNamedAsSuch) {
  Fail("_settings", 200, "<html><body>Welcome</body></html>", "text/html");
  EXPECT_THAT(client_.Resolve({"a"}),
              StatusIs(StatusCode::kUnavailable, HasSubstr("an HTML page, not JSON")));
}

TEST_F(ElasticClientTest, APageThatIsTooLargeIsResourceExhausted) {
  const std::string document = R"({"m":")" + std::string(kPageBytesMax, 'x') + R"("})";
  server_.Index(kIndex, "large", document);
  const WindowQuery query = Window();
  http::Response response;
  EXPECT_THAT(client_.Search(query, &response), StatusIs(StatusCode::kResourceExhausted));
}

TEST_F(ElasticClientTest, ANodeThatIsNotThereIsLeftForAnother) {
  // Port 1 refuses.
  NodePool pool({"http://127.0.0.1:1", server_.url()}, clock_);
  ElasticClient client(pool, OptionsFor(server_));
  EXPECT_THAT(client.Stats({kIndex}), StatusIs(StatusCode::kUnavailable, HasSubstr("127.0.0.1:1")));
  for (int i = 0; i < 4; ++i) EXPECT_OK(client.Stats({kIndex}));
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(client.Stats({kIndex}), StatusIs(StatusCode::kUnavailable));
}

TEST_F(ElasticClientTest, EveryRequestIsOneThatElasticsearchKnows) {
  ASSERT_OK(client_.Resolve({kIndex}));
  http::Response response;
  ASSERT_OK(client_.Search(Window(), &response));
  EXPECT_THAT(server_.stats().unknown_requests, testing::IsEmpty());
}

TEST_F(ElasticClientTest, ACancelledClientAnswersAtOnce) {
  client_.Cancel();
  EXPECT_THAT(client_.Stats({kIndex}), StatusIs(StatusCode::kCancelled));
}

}  // namespace
}  // namespace nightjar::es_reader
