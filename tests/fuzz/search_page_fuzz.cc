// A page of hits as the server, or somebody in its place, may send it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "services/common/status/check.h"
#include "services/es_reader/schema/page_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using nightjar::es_reader::CollectingSink;
  using nightjar::es_reader::DecodeOutcome;
  using nightjar::es_reader::DecoderOptions;
  using nightjar::es_reader::PageDecoder;
  using nightjar::es_reader::TestQuery;
  using nightjar::es_reader::TestResponse;
  using nightjar::es_reader::WindowQuery;
  static PageDecoder& decoder = *new PageDecoder(DecoderOptions{});
  WindowQuery query = TestQuery();
  query.index = "packetbeat-7.17.29-2026.11.24";
  CollectingSink sink;
  const absl::string_view body(reinterpret_cast<const char*>(data), size);
  const absl::Status status = decoder.Decode(query, TestResponse(body), sink);
  CHECK(sink.events.size() == sink.outcomes.size());
  for (size_t i = 0; i < sink.events.size(); ++i) {
    const bool event = sink.outcomes[i].kind == DecodeOutcome::Kind::kEvent;
    CHECK(event == sink.outcomes[i].reason.empty());
    CHECK(sink.outcomes[i].detail.size() <= 200);
    // What goes on must be readable at the other end: protobuf strings are UTF-8.
    nightjar::telemetry::v1::Event copy;
    if (event) CHECK(copy.ParseFromString(sink.events[i].SerializeAsString()));
    CHECK(sink.events[i].seq_no() <= static_cast<uint64_t>(query.to));
  }
  // The same page again gives the same: nothing is left over from the first time.
  CollectingSink again;
  CHECK(decoder.Decode(query, TestResponse(body), again) == status);
  CHECK(again.events.size() == sink.events.size());
  return 0;
}
