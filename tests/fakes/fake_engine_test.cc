#include "tests/fakes/fake_engine.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "httplib.h"

namespace nightjar::fakes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class FakeEngineTest : public testing::Test {
 protected:
  FakeEngineTest() : client_(engine_.url()) { client_.set_basic_auth("test-key", ""); }

  httplib::Result Post(const std::string& body) {
    return client_.Post("/v1/events/dns", body, "application/json");
  }

  FakeEngine engine_;
  httplib::Client client_;
};

TEST_F(FakeEngineTest, CountsEachIdOnceAPost) {
  EXPECT_EQ(Post("{\"query\":\"nj7x.example\"}\n{\"query\":\"nj8x.example\"}\n")->body,
            R"({"received":2,"accepted":2,"rejected":{},"rejectedLines":[]})");
  Post("{\"query\":\"nj8x.example\"}\n");
  EXPECT_THAT(engine_.accepted_ids(), ElementsAre(Pair(7, 1), Pair(8, 2)));
}

TEST_F(FakeEngineTest, AWrongKeyIsRefusedAndCountsNothing) {
  engine_.SetApiKey("other");
  EXPECT_EQ(Post("{\"query\":\"nj7x.example\"}\n")->status, 401);
  EXPECT_EQ(engine_.stats().accepted, 0u);
}

TEST_F(FakeEngineTest, FaultsAreTakenInOrderAndThenItWorksAgain) {
  engine_.FailNext(1, {EngineFault::Kind::kStatus, 429, 7, {}});
  engine_.FailNext(1, {EngineFault::Kind::kHtml, 0, {}, {}});
  auto first = Post("{}\n");
  EXPECT_EQ(first->status, 429);
  EXPECT_EQ(first->get_header_value("Retry-After"), "7");
  EXPECT_THAT(Post("{}\n")->body, HasSubstr("<html>"));
  EXPECT_EQ(engine_.stats().accepted, 0u);
  EXPECT_THAT(Post("{}\n")->body, HasSubstr("\"accepted\":1"));
}

TEST_F(FakeEngineTest, ADroppedReplyHasBeenAccepted) {
  engine_.FailNext(1, {EngineFault::Kind::kDropReply, 0, {}, {}});
  EXPECT_FALSE(Post("{\"query\":\"nj9x.example\"}\n"));
  EXPECT_THAT(engine_.accepted_ids(), ElementsAre(Pair(9, 1)));
}

TEST_F(FakeEngineTest, RejectedLinesAreNamed) {
  engine_.RejectLinesWith("bad", "malformed");
  EXPECT_EQ(Post("{}\n{\"query\":\"bad\"}\n")->body,
            R"({"received":2,"accepted":1,"rejected":{"malformed":1},)"
            R"("rejectedLines":[{"line":1,"reason":"malformed"}]})");
}

TEST(EventId, IsFoundOnlyInItsFullForm) {
  EXPECT_EQ(EventId("{\"q\":\"nj.nj12.nj345x.example\"}"), 345u);
  EXPECT_EQ(EventId("njx nj12"), std::nullopt);
}

TEST_F(FakeEngineTest, AlertsComeInPagesBehindTheirBookmark) {
  engine_.QueueAlerts(R"({"id":"a"})", R"("t":{"title":"T","severity":3})");
  engine_.QueueAlerts(R"({"id":"b"})");
  EXPECT_EQ(client_.Get("/v1/alerts")->body,
            R"({"follow":"page-1","more":true,"alerts":[{"id":"a"}],)"
            R"("threats":{"t":{"title":"T","severity":3}}})");
  EXPECT_EQ(client_.Get("/v1/alerts?follow=page-1")->body,
            R"({"follow":"page-2","more":false,"alerts":[{"id":"b"}],"threats":{}})");
  EXPECT_EQ(client_.Get("/v1/alerts?follow=page-2")->body,
            R"({"follow":"page-2","more":false,"alerts":[],"threats":{}})");
  EXPECT_EQ(client_.Get("/v1/alerts?follow=page-3")->status, 400);
  EXPECT_THAT(engine_.polls(), ElementsAre("", "page-1", "page-2", "page-3"));
}

}  // namespace
}  // namespace nightjar::fakes
