// Fuzz target: a line of a body of events, as the engine reads it. Whatever the bytes, an event or
// a reason; and an event that was read is read again from what our forwarder would write of it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "services/analytics_engine/api/event_decoder.h"
#include "services/common/analytics_api/events_encoder.h"
#include "services/common/status/check.h"

namespace {

using nightjar::analytics_engine::EventDecoder;
using nightjar::telemetry::v1::Event;

const char* Decode(Event::BodyCase type, std::string line, Event* event, std::string* index) {
  const size_t size = line.size();
  line.append(nightjar::analytics_engine::kPaddingBytes, '\0');
  static EventDecoder* const decoder = new EventDecoder;
  return decoder->Decode(type, {line.data(), size}, event, index);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  for (int type = Event::kDns; type <= Event::kLease; ++type) {
    Event event, again;
    std::string index;
    if (Decode(static_cast<Event::BodyCase>(type), line, &event, &index) != nullptr) continue;
    CHECK(event.body_case() == type);
    std::string written;
    nightjar::analytics_api::AppendEventLine(nightjar::analytics_api::Dialect::kNightjar, index,
                                             event, &written);
    CHECK(Decode(event.body_case(), written, &again, &index) == nullptr);
  }
  return 0;
}
