// Events as the analytics engine's API v1 takes them: one JSON object a line.
#ifndef SERVICES_COMMON_ANALYTICS_API_EVENTS_ENCODER_H_
#define SERVICES_COMMON_ANALYTICS_API_EVENTS_ENCODER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/flow.pb.h"

namespace nightjar::analytics_api {

// Which fields the engine understands (docs/architecture.md, engine kinds).
enum class Dialect {
  kAlphaSoc,  // dns, ip, http, tls with the fields of API v1
  kNightjar,  // also icmp and lease, and the fields listed at AppendOwnFields
};

// True when an event of this kind has a path /v1/events/<type> in the dialect.
bool HasPath(Dialect dialect, telemetry::v1::Event::BodyCase body);

// Appends one line with its line end. `event` must have a path. What the event does not have is
// left out: absent is not zero. Pure; thread-safe; never fails, whatever the strings hold.
void AppendEventLine(Dialect dialect, absl::string_view index, const telemetry::v1::Event& event,
                     std::string* out);

}  // namespace nightjar::analytics_api

#endif  // SERVICES_COMMON_ANALYTICS_API_EVENTS_ENCODER_H_
