#include "services/es_reader/schema/page_decoder.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "services/es_reader/schema/page_testing.h"

namespace nightjar::es_reader {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kFlow[] =
    R"({"@timestamp":"2026-11-24T11:24:00.001Z","type":"flow","event":{"dataset":"flow"},)"
    R"("source":{"ip":"10.0.0.1","port":1234,"bytes":10},)"
    R"("destination":{"ip":"192.0.2.1","port":80}})";

class PageDecoderTest : public testing::Test {
 protected:
  absl::Status Decode(const std::string& page) {
    sink_ = CollectingSink();
    return PageDecoder(options_).Decode(query_, TestResponse(page), sink_);
  }

  // The reasons of a page of these documents, each between two good neighbours that must arrive.
  std::string ReasonOf(const std::string& source) {
    EXPECT_OK(Decode(TestPageOf({kFlow, source, kFlow})));
    if (sink_.outcomes.size() != 3) return absl::StrCat(sink_.outcomes.size(), " documents");
    EXPECT_EQ(sink_.outcomes[0].reason, "");
    EXPECT_EQ(sink_.outcomes[2].reason, "");
    EXPECT_EQ(sink_.events[2].source_ip(), "10.0.0.1");
    EXPECT_EQ(sink_.events[1].document_id(), "doc-1");
    EXPECT_EQ(sink_.events[1].seq_no(), 1u);
    EXPECT_LE(sink_.outcomes[1].detail.size(), 200u);
    return std::string(sink_.outcomes[1].reason);
  }

  // kFlow with one part exchanged.
  static std::string Flow(absl::string_view from, absl::string_view to) {
    const std::string flow = absl::StrReplaceAll(kFlow, {{from, to}});
    EXPECT_NE(flow, kFlow);
    return flow;
  }

  DecoderOptions options_;
  WindowQuery query_ = TestQuery();
  CollectingSink sink_;
};

TEST_F(PageDecoderTest, AnEmptyPageIsFine) {
  EXPECT_OK(Decode(TestPage({})));
  EXPECT_THAT(sink_.events, IsEmpty());
}

TEST_F(PageDecoderTest, APageThatIsNotWholeIsRefused) {
  const std::string page = TestPageOf({kFlow});
  const std::pair<const char*, const char*> exchanges[] = {
      {R"("timed_out":false)", R"("timed_out":true)"},
      {R"("timed_out":false)", R"("nothing":false)"},
      {R"("total":1)", R"("total":0)"},
      {R"("total":1)", R"("total":2)"},
      {R"("successful":1)", R"("successful":0)"},
      {R"("failed":0)", R"("failed":1)"},
      {R"("_shards")", R"("shards")"},
      {R"("hits":{)", R"("hit":{)"},
      {R"("_seq_no":0)", R"("_no":0)"},
  };
  for (const auto& [from, to] : exchanges) {
    EXPECT_THAT(Decode(absl::StrReplaceAll(page, {{from, to}})),
                StatusIs(StatusCode::kUnavailable, HasSubstr("incomplete answer")))
        << to;
  }
}

TEST_F(PageDecoderTest, WhatIsNoSearchAnswerIsRefused) {
  for (const char* body :
       {"", "{", "[]", "null", "<html></html>", R"({"error":"no"})", R"({"hits":[]})"}) {
    EXPECT_THAT(Decode(body), StatusIs(StatusCode::kUnavailable)) << body;
  }
}

TEST_F(PageDecoderTest, ATruncatedPageIsRefusedWhereverItIsCut) {
  const std::string page = TestPageOf({kFlow, kFlow});
  for (size_t bytes = 0; bytes < page.size(); ++bytes) {
    EXPECT_THAT(Decode(page.substr(0, bytes)), StatusIs(StatusCode::kUnavailable)) << bytes;
  }
}

TEST_F(PageDecoderTest, AHitThatWasNotAskedForRefusesThePage) {
  TestHit hit{kFlow, "id", 100, 1, "packetbeat-test", ""};
  query_.from = 100;
  EXPECT_THAT(Decode(TestPage({hit})), StatusIs(StatusCode::kAborted));
  query_.from = 50;
  query_.to = 99;
  EXPECT_THAT(Decode(TestPage({hit})), StatusIs(StatusCode::kAborted));
  query_.to = 100;
  EXPECT_OK(Decode(TestPage({hit})));
  hit.index = "another";
  EXPECT_THAT(Decode(TestPage({hit})), StatusIs(StatusCode::kAborted, HasSubstr("another index")));
}

TEST_F(PageDecoderTest, IdNumberAndHashIdentifyTheDocument) {
  ASSERT_OK(Decode(TestPage({{kFlow, "a", 7, 1, "packetbeat-test", ""},
                             {kFlow, "a", 8, 2, "packetbeat-test", ""},
                             {kFlow, "b", 9, 1, "packetbeat-test", ""}})));
  ASSERT_EQ(sink_.events.size(), 3u);
  EXPECT_EQ(sink_.events[0].seq_no(), 7u);
  EXPECT_EQ(sink_.events[0].document_id(), "a");
  EXPECT_NE(sink_.events[0].document_hash(), sink_.events[1].document_hash());
  EXPECT_NE(sink_.events[0].document_hash(), sink_.events[2].document_hash());
}

TEST_F(PageDecoderTest, WrongTypesCostOnlyTheirDocument) {
  EXPECT_EQ(ReasonOf(Flow(R"("port":1234)", R"("port":"many")")), "wrong_type");
  EXPECT_THAT(sink_.outcomes[1].detail, "source.port: \"many\" is not a whole number");
  EXPECT_EQ(sink_.events[1].body_case(), telemetry::v1::Event::kIp) << "for counts by type";
  EXPECT_EQ(ReasonOf(Flow(R"("port":1234)", R"("port":70000)")), "wrong_type");
  EXPECT_EQ(ReasonOf(Flow(R"("port":1234)", R"("port":{})")), "wrong_type");
  EXPECT_EQ(ReasonOf(Flow(R"("bytes":10)", R"("bytes":-1)")), "wrong_type");
  EXPECT_EQ(ReasonOf(Flow(R"("bytes":10)", R"("bytes":1.5)")), "wrong_type");
  EXPECT_EQ(ReasonOf(Flow(R"("bytes":10)", R"("bytes":true)")), "wrong_type");
  EXPECT_EQ(ReasonOf(Flow(R"("ip":"10.0.0.1")", R"("ip":167772161)")), "wrong_type");
  EXPECT_EQ(ReasonOf(Flow(R"("destination":{)", R"("destination":[],"x":{)")), "wrong_type");
  EXPECT_EQ(ReasonOf(Flow(R"("dataset":"flow")", R"("dataset":["a","b"])")), "wrong_type");
  EXPECT_EQ(ReasonOf(R"({"source":"10.0.0.1","dns":5})"), "wrong_type");
  EXPECT_EQ(ReasonOf("5"), "bad_json");
  EXPECT_EQ(ReasonOf("[]"), "bad_json");
}

TEST_F(PageDecoderTest, BadValuesCostOnlyTheirDocument) {
  EXPECT_EQ(ReasonOf(Flow("10.0.0.1", "10.0.0.256")), "bad_ip");
  EXPECT_EQ(ReasonOf(Flow("2026-11-24T11:24:00.001Z", "yesterday")), "bad_time");
  EXPECT_EQ(ReasonOf(Flow("@timestamp", "timestamp")), "missing_time");
  EXPECT_EQ(ReasonOf(Flow("10.0.0.1", R"(\ud800)")), "bad_string");
  EXPECT_EQ(ReasonOf(Flow("10.0.0.1", std::string(5 << 20, 'x'))), "field_too_long");
  const std::string dns = Flow(R"("dataset":"flow")", R"("dataset":"dns")");
  EXPECT_EQ(ReasonOf(dns), "missing_name");
  EXPECT_EQ(ReasonOf(absl::StrReplaceAll(
                dns, {{R"("ip":"10.0.0.1",)", ""},
                      {R"("type":)", R"("dns":{"question":{"name":"a.example"}},"type":)"}})),
            "missing_ip");
  EXPECT_EQ(ReasonOf(absl::StrReplaceAll(kFlow, {{"flow", "http"}, {R"("ip":"192.0.2.1",)", ""}})),
            "missing_url");
}

TEST_F(PageDecoderTest, BrokenTextCostsOnlyItsDocument) {
  EXPECT_EQ(ReasonOf(Flow("10.0.0.1", "10.0.0.1\xff")), "bad_utf8");
  EXPECT_EQ(ReasonOf(Flow("\"type\"", "\"x\":\"\xed\xa0\x80\",\"type\"")), "bad_utf8");
  // Elasticsearch takes comments and bare words in documents.
  EXPECT_EQ(ReasonOf(Flow("\"type\"", "/* } \" */ \"type\"")), "bad_json");
  EXPECT_EQ(ReasonOf(Flow("\"type\"", "# }\n\"type\"")), "bad_json");
  EXPECT_EQ(ReasonOf(Flow(R"("port":80)", R"("port" 80)")), "bad_json");
  EXPECT_EQ(ReasonOf(Flow("1234", "NaN")), "bad_json");
}

TEST_F(PageDecoderTest, SeveralBrokenDocumentsLeaveTheOthersInOrder) {
  const std::string utf8 = Flow("10.0.0.1", "\xff");
  const std::string json = Flow(R"("port":80)", R"("port" 80)");
  ASSERT_OK(Decode(TestPageOf({kFlow, json, kFlow, utf8, json, kFlow})));
  std::vector<std::string> reasons;
  for (const DecodeOutcome& outcome : sink_.outcomes) reasons.emplace_back(outcome.reason);
  EXPECT_THAT(reasons, ElementsAre("", "bad_json", "", "bad_utf8", "bad_json", ""));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(sink_.events[i].seq_no(), static_cast<uint64_t>(i));
}

TEST_F(PageDecoderTest, ABrokenDocumentDoesNotExcuseAPartialPage) {
  std::string page = TestPageOf({kFlow, Flow("10.0.0.1", "\xff")});
  page = absl::StrReplaceAll(page, {{R"("failed":0)", R"("failed":1)"}});
  EXPECT_THAT(Decode(page), StatusIs(StatusCode::kUnavailable));
}

TEST_F(PageDecoderTest, WhatNoEventReadsMayBeAnything) {
  EXPECT_EQ(ReasonOf(Flow("\"type\"", R"("message":"\ud800","type")")), "");
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  EXPECT_EQ(ReasonOf(Flow("\"type\"", absl::StrCat(R"("deep":)", deep, R"(,"type")"))), "");
  EXPECT_EQ(ReasonOf(Flow("\"type\"",
                          absl::StrCat("\"log\":\"", std::string(5 << 20, 'x'), "\",\"type\""))),
            "");
  EXPECT_EQ(ReasonOf(Flow("\"type\"", R"("url":7,"dns":"x","type")")), "") << "not of a flow";
}

TEST_F(PageDecoderTest, ADocumentWithoutSourceIsNamed) {
  TestHit hit;
  ASSERT_OK(Decode(TestPage({hit})));
  EXPECT_EQ(sink_.outcomes[0].reason, "no_source");
  query_.with_source = false;
  ASSERT_OK(Decode(TestPage({hit})));
  EXPECT_EQ(sink_.outcomes[0].reason, "document_too_large");
  EXPECT_EQ(sink_.outcomes[0].kind, DecodeOutcome::Kind::kQuarantined);
}

TEST_F(PageDecoderTest, TheDecoderIsReusable) {
  PageDecoder decoder(options_);
  for (int i = 0; i < 3; ++i) {
    CollectingSink sink;
    ASSERT_OK(decoder.Decode(query_, TestResponse(TestPageOf({kFlow})), sink));
    EXPECT_EQ(sink.events[0].source_port(), 1234u);
    EXPECT_THAT(decoder.Decode(query_, TestResponse("{"), sink),
                StatusIs(StatusCode::kUnavailable));
  }
}

class SearchesTest : public PageDecoderTest {
 protected:
  config::SearchConfig& Add(config::EventType type) {
    config::SearchConfig& search = options_.searches.emplace_back();
    search.event_type = type;
    return search;
  }
};

TEST_F(SearchesTest, ATypeThatNobodySearchesIsFiltered) {
  Add(config::EventType::kDns);
  ASSERT_OK(Decode(TestPageOf(
      {kFlow, R"({"type":"icmp","@timestamp":1700000000000,"source":{"ip":"10.0.0.1"}})"})));
  EXPECT_EQ(sink_.outcomes[0].reason, "not_searched");
  EXPECT_EQ(sink_.events[0].body_case(), telemetry::v1::Event::kIp) << "for counts by type";
  EXPECT_EQ(sink_.outcomes[1].reason, "") << "no search can ask for icmp";
}

TEST_F(SearchesTest, MustHaveFieldsAreAskedOfTheirTypeOnly) {
  Add(config::EventType::kIp);
  Add(config::EventType::kIp).must_have_fields = {"x.y"};
  EXPECT_EQ(ReasonOf(kFlow), "") << "the other search wants it";
  options_.searches.erase(options_.searches.begin());
  ASSERT_OK(Decode(TestPageOf({kFlow, Flow("\"type\"", R"("x":{"y":0},"type")"),
                               Flow("\"type\"", R"("x.y":"1","type")"),
                               Flow("\"type\"", R"("x":{"y":null},"type")")})));
  std::vector<std::string> reasons;
  for (const DecodeOutcome& outcome : sink_.outcomes) reasons.emplace_back(outcome.reason);
  EXPECT_THAT(reasons, ElementsAre("must_have_field", "", "", "must_have_field"));
  EXPECT_EQ(sink_.outcomes[0].kind, DecodeOutcome::Kind::kFiltered);
}

TEST_F(SearchesTest, FieldNamesWinOverTheSchema) {
  Add(config::EventType::kIp).field_names = {{"src_ip", "my.address"}, {"dest_port", "x"}};
  EXPECT_EQ(ReasonOf(Flow("\"type\"", R"("my":{"address":"10.9.9.9"},"type")")), "");
  EXPECT_EQ(sink_.events[1].source_ip(), "10.9.9.9");
  EXPECT_EQ(sink_.events[1].destination_port(), 80u) << "x is not in the document";
  EXPECT_EQ(sink_.events[0].source_ip(), "10.0.0.1");
}

TEST_F(SearchesTest, MatchedQueriesSayWhichSearchWantsADocument) {
  Add(config::EventType::kIp).search_term = "{}";
  Add(config::EventType::kDns);
  query_.filters = {{"0", "{}"}, {"1", ""}};
  ASSERT_OK(Decode(TestPage({{kFlow, "a", 0, 1, "packetbeat-test", R"("1")"},
                             {kFlow, "b", 1, 1, "packetbeat-test", R"("1","0")"}})));
  EXPECT_EQ(sink_.outcomes[0].reason, "search_term");
  EXPECT_EQ(sink_.outcomes[1].reason, "");
}

}  // namespace
}  // namespace nightjar::es_reader
