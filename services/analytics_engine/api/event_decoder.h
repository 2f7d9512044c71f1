// Events of API v1, one JSON object a line, back into the form that the detectors take.
#ifndef SERVICES_ANALYTICS_ENGINE_API_EVENT_DECODER_H_
#define SERVICES_ANALYTICS_ENGINE_API_EVENT_DECODER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/event.pb.h"
#include "simdjson.h"

namespace nightjar::analytics_engine {

inline constexpr size_t kLineBytesMax = 1 << 20;
inline constexpr size_t kPaddingBytes = simdjson::SIMDJSON_PADDING;

// Reads what AppendEventLine (common/analytics_api/events_encoder.h) writes for our own engine, and
// the plain events of other clients. Fields it does not know are ignored; null, an empty text and
// an absent field are the same; a count of 0 is not absent. Not thread-safe; keep one per thread.
class EventDecoder {
 public:
  // Sets `event`, which must be empty, and the `index` of its document (empty: unknown). `type` is
  // the body that the path says, kDns to kLease. kPaddingBytes after `line` are readable.
  //
  // Null when it worked, else why not: line_too_long, bad_json (also what is not UTF-8),
  // not_an_object, wrong_type (of a known field, or a number out of its range), bad_time,
  // bad_address.
  const char* Decode(telemetry::v1::Event::BodyCase type, absl::string_view line,
                     telemetry::v1::Event* event, std::string* index);

 private:
  simdjson::dom::parser parser_{kLineBytesMax};
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_EVENT_DECODER_H_
