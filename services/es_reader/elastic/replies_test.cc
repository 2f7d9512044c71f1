#include "services/es_reader/elastic/replies.h"

#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::es_reader {
namespace {

using absl::StatusCode;

TEST(ParseSettingsTest, ReadsWhatTheReaderNeeds) {
  const auto indices = ParseSettings(
      R"({"b":{"settings":{"index":{"uuid":"u2","number_of_shards":"2","creation_date":"1000",)"
      R"("refresh_interval":"-1","hidden":"true","verified_before_close":"true",)"
      R"("resize":{"source":{"name":"a","uuid":"u1"}}}}},)"
      R"("a":{"settings":{"index":{"uuid":"u1","number_of_shards":"1"}}},)"
      R"("nightjar-state":{"settings":{}},".ds-nightjar-alerts-1":{"settings":{}}})");
  ASSERT_OK(indices);
  ASSERT_EQ(indices->size(), 2u);
  const IndexInfo& a = indices->at(0);
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.uuid, "u1");
  EXPECT_EQ(a.shards, 1);
  EXPECT_EQ(a.refresh_interval, std::nullopt);
  EXPECT_EQ(a.resize_source, "");
  EXPECT_FALSE(a.closed);
  EXPECT_FALSE(a.hidden);
  const IndexInfo& b = indices->at(1);
  EXPECT_LT(b.refresh_interval, absl::ZeroDuration());
  EXPECT_EQ(b.created, absl::FromUnixSeconds(1));
  EXPECT_EQ(b.resize_source, "u1");
  EXPECT_TRUE(b.closed);
  EXPECT_TRUE(b.hidden);
}

TEST(ParseSettingsTest, AnIndexWithoutUuidIsNoAnswer) {
  EXPECT_THAT(ParseSettings(R"({"a":{"settings":{"index":{"number_of_shards":"1"}}}})"),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(ParseSettings("[]"), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(ParseSettings(""), StatusIs(StatusCode::kUnavailable));
}

TEST(ParseStatsTest, OnlyStartedPrimariesCount) {
  const auto shards = ParseStats(
      R"({"indices":{"a":{"uuid":"u","shards":{"1":[)"
      R"({"routing":{"state":"STARTED","primary":false,"node":"n1"},)"
      R"("commit":{"user_data":{"history_uuid":"h"}}},)"
      R"({"routing":{"state":"STARTED","primary":true,"node":"n2"},)"
      R"("commit":{"user_data":{"history_uuid":"h"}},)"
      R"("seq_no":{"max_seq_no":9,"global_checkpoint":8},"refresh":{"external_total":3},)"
      R"("docs":{"count":7},"store":{"size_in_bytes":99}}],)"
      R"("0":[{"routing":{"state":"INITIALIZING","primary":true,"node":"n2"}}]}},)"
      R"("nightjar-state":{"uuid":"x","shards":{}}}})");
  ASSERT_OK(shards);
  ASSERT_EQ(shards->size(), 1u);
  const ShardStats& shard = shards->front();
  EXPECT_EQ(shard.index, "a");
  EXPECT_EQ(shard.epoch(), "u/1/h");
  EXPECT_EQ(shard.node, "n2");
  EXPECT_EQ(shard.max_seq_no, 9);
  EXPECT_EQ(shard.global_checkpoint, 8);
  EXPECT_EQ(shard.external_refresh_total, 3u);
  EXPECT_EQ(shard.docs, 7u);
  EXPECT_EQ(shard.store_bytes, 99u);
}

TEST(ParseStatsTest, NothingIsAnEmptyListAndNonsenseAnError) {
  EXPECT_THAT(ParseStats("{}"), IsOkAndHolds(testing::IsEmpty()));
  EXPECT_THAT(ParseStats(R"({"indices":{"a":{"shards":{"x":[]}}}})"),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(ParseStats("<html>"), StatusIs(StatusCode::kUnavailable));
}

TEST(ParseCountTest, OnlyTheExactCountOfTheWholeShardCounts) {
  const auto reply = [](const char* shards, const char* total) {
    return std::string(R"({"timed_out":false,"_shards":)") + shards + R"(,"hits":{"total":)" +
           total + "}}";
  };
  const char* whole = R"({"total":1,"successful":1,"failed":0})";
  EXPECT_THAT(ParseCount(reply(whole, R"({"value":5,"relation":"eq"})")), IsOkAndHolds(5));
  EXPECT_THAT(ParseCount(reply(whole, R"({"value":5,"relation":"gte"})")),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(ParseCount(reply(R"({"total":0,"successful":0})", R"({"value":0,"relation":"eq"})")),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(ParseCount(R"({"timed_out":true})"), StatusIs(StatusCode::kUnavailable));
}

TEST(ParseRefreshTest, NeedsAllThreeNumbers) {
  const auto result = ParseRefresh(R"({"_shards":{"total":4,"successful":2,"failed":0}})");
  ASSERT_OK(result);
  EXPECT_EQ(result->total, 4);
  EXPECT_EQ(result->successful, 2);
  EXPECT_THAT(ParseRefresh("{}"), StatusIs(StatusCode::kUnavailable));
}

TEST(ParseTimeValueTest, UnitsOfElasticsearch) {
  EXPECT_EQ(ParseTimeValue("30s"), absl::Seconds(30));
  EXPECT_EQ(ParseTimeValue("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(ParseTimeValue("1d"), absl::Hours(24));
  EXPECT_EQ(ParseTimeValue("7micros"), absl::Microseconds(7));
  EXPECT_EQ(ParseTimeValue("7nanos"), absl::Nanoseconds(7));
  EXPECT_EQ(ParseTimeValue("0"), absl::ZeroDuration());
  EXPECT_LT(*ParseTimeValue("-1"), absl::ZeroDuration());
  EXPECT_EQ(ParseTimeValue(""), std::nullopt);
  EXPECT_EQ(ParseTimeValue("often"), std::nullopt);
}

}  // namespace
}  // namespace nightjar::es_reader
