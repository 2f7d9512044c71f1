#include "tests/detections/recording.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/common/status/check.h"
#include "services/es_reader/schema/page_testing.h"

namespace nightjar::tests {
namespace {

std::string Unzipped(const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  CHECK(file != nullptr);
  std::string text;
  char buffer[1 << 16];
  int bytes = 0;
  while ((bytes = gzread(file, buffer, sizeof(buffer))) > 0) text.append(buffer, bytes);
  CHECK(bytes == 0);
  CHECK(gzclose(file) == Z_OK);
  return text;
}

}  // namespace

std::deque<telemetry::v1::Event> Recording(const std::string& name) {
  const std::string text = Unzipped(absl::StrCat("tests/data/captures/", name, ".ndjson.gz"));
  const std::vector<std::string> documents = absl::StrSplit(text, '\n', absl::SkipEmpty());
  es_reader::PageDecoder decoder(es_reader::DecoderOptions{});
  es_reader::CollectingSink sink;
  CHECK(decoder
            .Decode(es_reader::TestQuery(),
                    es_reader::TestResponse(es_reader::TestPageOf(documents)), sink)
            .ok());
  CHECK(sink.events.size() == documents.size() && !documents.empty());
  for (const es_reader::DecodeOutcome& outcome : sink.outcomes) CHECK(outcome.reason.empty());

  std::deque<telemetry::v1::Event>& events = sink.events;
  events.erase(std::remove_if(events.begin(), events.end(),
                              [](const telemetry::v1::Event& event) {
                                return event.has_ip() && (event.source_ip().empty() ||
                                                          event.destination_ip().empty());
                              }),
               events.end());
  std::stable_sort(events.begin(), events.end(),
                   [](const telemetry::v1::Event& a, const telemetry::v1::Event& b) {
                     return a.time_unix_nano() < b.time_unix_nano();
                   });
  return std::move(events);
}

}  // namespace nightjar::tests
