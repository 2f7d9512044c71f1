// Pages of hits for tests, and a sink that keeps what comes out of them.
#ifndef SERVICES_ES_READER_SCHEMA_PAGE_TESTING_H_
#define SERVICES_ES_READER_SCHEMA_PAGE_TESTING_H_

#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/es_reader/schema/page_decoder.h"

namespace nightjar::es_reader {

struct TestHit {
  std::string source;  // empty: without _source
  std::string id = "id";
  int64_t seq_no = 0;
  int64_t version = 1;
  std::string index = "packetbeat-test";
  std::string matched_queries;  // JSON of the array's content
};

// As Elasticsearch writes it, all shards well.
std::string TestPage(const std::vector<TestHit>& hits);

// One hit for each source, numbered from 0, with the ids doc-0, doc-1 ...
std::string TestPageOf(const std::vector<std::string>& sources);

// 200 with this body, padded as HttpClient does.
http::Response TestResponse(absl::string_view body);

// The numbers (-1, 1000000] of packetbeat-test.
WindowQuery TestQuery();

class CollectingSink : public PageSink {
 public:
  telemetry::v1::Event* NewEvent() override { return &events.emplace_back(); }
  void Done(telemetry::v1::Event*, DecodeOutcome outcome) override {
    outcomes.push_back(std::move(outcome));
  }

  std::deque<telemetry::v1::Event> events;
  std::vector<DecodeOutcome> outcomes;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_PAGE_TESTING_H_
