#include "services/es_reader/schema/page_testing.h"

#include "absl/strings/str_cat.h"

namespace nightjar::es_reader {

std::string TestPage(const std::vector<TestHit>& hits) {
  std::string page =
      R"({"took":3,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},)"
      R"("hits":{"max_score":null,"hits":[)";
  const char* separator = "";
  for (const TestHit& hit : hits) {
    absl::StrAppend(&page, separator, R"({"_index":")", hit.index, R"(","_type":"_doc","_id":")",
                    hit.id, R"(","_version":)", hit.version, R"(,"_seq_no":)", hit.seq_no,
                    R"(,"_primary_term":1,"_score":null)");
    if (!hit.source.empty()) absl::StrAppend(&page, R"(,"_source":)", hit.source);
    absl::StrAppend(&page, R"(,"sort":[)", hit.seq_no, "]");
    if (!hit.matched_queries.empty()) {
      absl::StrAppend(&page, R"(,"matched_queries":[)", hit.matched_queries, "]");
    }
    page += "}";
    separator = ",";
  }
  return page + "]}}";
}

std::string TestPageOf(const std::vector<std::string>& sources) {
  std::vector<TestHit> hits;
  for (const std::string& source : sources) {
    const int64_t number = static_cast<int64_t>(hits.size());
    TestHit& hit = hits.emplace_back();
    hit.source = source;
    hit.id = absl::StrCat("doc-", number);
    hit.seq_no = number;
  }
  return TestPage(hits);
}

http::Response TestResponse(absl::string_view body) {
  http::Response response;
  response.status = 200;
  response.content_type = "application/json";
  response.buffer = std::string(body);
  response.buffer.resize(body.size() + 64);
  response.body_bytes = body.size();
  return response;
}

WindowQuery TestQuery() {
  WindowQuery query;
  query.index = "packetbeat-test";
  query.to = 1'000'000;
  return query;
}

}  // namespace nightjar::es_reader
