#include "services/es_reader/elastic/requests.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::es_reader {
namespace {

using testing::HasSubstr;

WindowQuery Window() {
  WindowQuery query;
  query.index = "i";
  query.from = -1;
  query.to = 999;
  return query;
}

TEST(RequestsTest, IndexNamesAreEncodedAndWildcardsStay) {
  EXPECT_EQ(IndexPath({"packetbeat-*", ".ds-a", "x/../y z"}), "packetbeat-*,.ds-a,x%2F..%2Fy%20z");
}

TEST(RequestsTest, ASearchAsksOneShardOnOneNodeForAllOrNothing) {
  EXPECT_EQ(SearchPath("i-1", 3, "aB_-9"),
            "/i-1/_search?preference=_shards:3%7C_only_nodes:aB_-9"
            "&allow_partial_search_results=false&request_cache=false");
}

TEST(RequestsTest, AWindowIsABoundedSearchInDocumentOrder) {
  EXPECT_EQ(WindowBody(Window()),
            R"({"size":1000,"track_total_hits":false,"sort":["_doc"],"seq_no_primary_term":true,)"
            R"("version":true,"query":{"range":{"_seq_no":{"gt":-1,"lte":999}}}})");
}

TEST(RequestsTest, MissingNumbersAreAskedForSingly) {
  WindowQuery query = Window();
  query.seq_nos = {3, 17};
  EXPECT_THAT(WindowBody(query), HasSubstr(R"("query":{"terms":{"_seq_no":[3,17]}}})"));
  EXPECT_THAT(CountBody(query), HasSubstr(R"("query":{"terms":{"_seq_no":[3,17]}}})"));
}

TEST(RequestsTest, FiltersAreNamedAndOneMustMatch) {
  WindowQuery query = Window();
  query.filters = {{"0", R"({"term":{"a":1}})"}, {"1", ""}};
  query.with_source = false;
  EXPECT_THAT(
      WindowBody(query),
      HasSubstr(R"("_source":false,"query":{"bool":{"filter":[{"range":{"_seq_no":{"gt":-1,)"
                R"("lte":999}}}],"should":[)"
                R"({"bool":{"filter":[{"term":{"a":1}}],"_name":"0"}},)"
                R"({"bool":{"filter":[{"match_all":{}}],"_name":"1"}}],)"
                R"("minimum_should_match":1}}})"));
  EXPECT_EQ(
      CountBody(query),
      R"({"size":0,"track_total_hits":true,"query":{"range":{"_seq_no":{"gt":-1,"lte":999}}}})");
}

TEST(RequestsTest, TheStartIsTheFirstNumberByTime) {
  EXPECT_THAT(FirstSinceBody(absl::FromUnixMillis(1234)),
              HasSubstr(R"({"range":{"@timestamp":{"gte":1234,"format":"epoch_millis"}}})"));
}

TEST(RequestsTest, RequestLinesLeaveRoomForPatterns) {
  EXPECT_LT(StatsPath({}).size(), 600u) << "the server takes 4 KiB";
  EXPECT_LT(SettingsPath({}).size(), 600u);
}

}  // namespace
}  // namespace nightjar::es_reader
