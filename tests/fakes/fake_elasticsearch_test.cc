#include "tests/fakes/fake_elasticsearch.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "httplib.h"

namespace nightjar::fakes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kWindow[] =
    R"({"size":1000,"query":{"range":{"_seq_no":{"gt":-1,"lte":10}}},"sort":["_doc"]})";

class FakeElasticsearchTest : public testing::Test {
 protected:
  FakeElasticsearchTest() : client_(elastic_.url()) {}

  httplib::Result Search(const std::string& index, const std::string& body = kWindow,
                         int shard = 0) {
    return client_.Post("/" + index + "/_search?preference=_shards:" + std::to_string(shard), body,
                        "application/json");
  }

  FakeElasticsearch elastic_;
  httplib::Client client_;
};

TEST_F(FakeElasticsearchTest, ADocumentIsFoundOnlyAfterARefresh) {
  elastic_.CreateIndex("a", 1, false);
  elastic_.Index("a", "one", "{}");
  EXPECT_THAT(client_.Get("/a*/_stats/refresh?level=shards")->body,
              HasSubstr("\"global_checkpoint\":0"));
  EXPECT_THAT(Search("a")->body, HasSubstr("\"hits\":[]"));
  client_.Post("/a/_refresh");
  EXPECT_THAT(Search("a")->body, HasSubstr("\"_id\":\"one\",\"_version\":1,\"_seq_no\":0"));
}

TEST_F(FakeElasticsearchTest, UpdatesAndDeletesLeaveHoles) {
  elastic_.CreateIndex("a");
  elastic_.Index("a", "one", "{}");
  elastic_.Index("a", "one", "{}");
  elastic_.Index("a", "two", "{}");
  elastic_.Delete("a", "two");
  const std::string body = Search("a")->body;
  EXPECT_THAT(body, HasSubstr("\"_version\":2,\"_seq_no\":1"));
  EXPECT_THAT(body, Not(HasSubstr("\"_seq_no\":0")));
  EXPECT_THAT(body, Not(HasSubstr("two")));
  EXPECT_THAT(client_.Get("/a/_stats?level=shards")->body, HasSubstr("\"max_seq_no\":3"));
}

TEST_F(FakeElasticsearchTest, TermsAndTimesNarrowTheSearch) {
  elastic_.CreateIndex("a");
  elastic_.Index("a", "old", R"({"@timestamp":"2026-01-01T00:00:00Z"})");
  elastic_.Index("a", "none", "{}");
  elastic_.Index("a", "new", R"({"@timestamp":"2026-02-01T00:00:00Z"})");
  EXPECT_THAT(Search("a", R"({"query":{"terms":{"_seq_no":[2]}}})")->body, HasSubstr("new"));
  const std::string since =
      Search("a", R"({"size":1,"query":{"bool":{"should":[)"
                  R"({"range":{"@timestamp":{"gte":"2026-01-15T00:00:00Z"}}}]}}})")
          ->body;
  EXPECT_THAT(since, HasSubstr("none"));
}

TEST_F(FakeElasticsearchTest, AMissingShardLooksAsOnARealNode) {
  elastic_.CreateIndex("a", 2);
  EXPECT_THAT(Search("a", kWindow, 9)->body, HasSubstr("\"_shards\":{\"total\":0,"));
  elastic_.SetShardAvailable("a", 1, false);
  EXPECT_EQ(Search("a", kWindow, 1)->status, 503);
  EXPECT_THAT(client_.Get("/a/_stats?level=shards")->body, Not(HasSubstr("\"1\":[")));
}

TEST_F(FakeElasticsearchTest, FaultsHitOnlyTheirPathAndEnd) {
  elastic_.CreateIndex("a");
  ElasticFault fault;
  fault.status = 429;
  elastic_.SetFault("_search", fault, 1);
  EXPECT_EQ(client_.Get("/a/_stats?level=shards")->status, 200);
  EXPECT_EQ(Search("a")->status, 429);
  EXPECT_EQ(Search("a")->status, 200);
  fault.kind = ElasticFault::Kind::kReset;
  elastic_.SetFault("_search", fault, 1);
  EXPECT_FALSE(Search("a"));
}

TEST_F(FakeElasticsearchTest, AnUnknownRequestIsRememberedAndRefused) {
  EXPECT_EQ(client_.Put("/a/_forcemerge")->status, 400);
  EXPECT_THAT(elastic_.stats().unknown_requests, ElementsAre("PUT /a/_forcemerge"));
}

}  // namespace
}  // namespace nightjar::fakes
