#include "tests/detections/recording.h"

#include <zlib.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"
#include "services/es_reader/schema/page_testing.h"

namespace nightjar::tests {
namespace {

constexpr size_t kPageDocuments = 1000;

// Up to kPageDocuments lines; none at the end.
std::vector<std::string> NextDocuments(gzFile file) {
  std::vector<std::string> documents;
  std::string line;
  char buffer[1 << 14];
  while (documents.size() < kPageDocuments && gzgets(file, buffer, sizeof(buffer)) != nullptr) {
    line += buffer;
    if (!absl::EndsWith(line, "\n")) continue;  // the buffer was too small, or the file ends
    line.pop_back();
    if (!line.empty()) documents.push_back(std::exchange(line, ""));
  }
  if (!line.empty()) documents.push_back(line);
  return documents;
}

bool HasNoAddress(const telemetry::v1::Event& event) {
  return event.has_ip() && (event.source_ip().empty() || event.destination_ip().empty());
}

}  // namespace

std::deque<telemetry::v1::Event> EventsOfFile(const std::string& path, size_t* unreadable) {
  const gzFile file = gzopen(path.c_str(), "rb");
  CHECK(file != nullptr);
  std::deque<telemetry::v1::Event> events;
  es_reader::PageDecoder decoder(es_reader::DecoderOptions{});
  for (std::vector<std::string> documents = NextDocuments(file); !documents.empty();
       documents = NextDocuments(file)) {
    es_reader::CollectingSink sink;
    const auto page = es_reader::TestResponse(es_reader::TestPageOf(documents));
    CHECK(decoder.Decode(es_reader::TestQuery(), page, sink).ok());
    CHECK(sink.events.size() == documents.size());
    for (size_t i = 0; i < documents.size(); ++i) {
      if (!sink.outcomes[i].reason.empty()) {
        ++*unreadable;
      } else if (!HasNoAddress(sink.events[i])) {
        events.push_back(std::move(sink.events[i]));
      }
    }
  }
  CHECK(gzclose(file) == Z_OK);
  std::stable_sort(events.begin(), events.end(),
                   [](const telemetry::v1::Event& a, const telemetry::v1::Event& b) {
                     return a.time_unix_nano() < b.time_unix_nano();
                   });
  return events;
}

std::deque<telemetry::v1::Event> Recording(const std::string& name) {
  size_t unreadable = 0;
  auto events = EventsOfFile(absl::StrCat("tests/data/captures/", name, ".ndjson.gz"), &unreadable);
  CHECK(unreadable == 0 && !events.empty());
  return events;
}

}  // namespace nightjar::tests
