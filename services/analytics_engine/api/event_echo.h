// The event as an alert gives it back.
#ifndef SERVICES_ANALYTICS_ENGINE_API_EVENT_ECHO_H_
#define SERVICES_ANALYTICS_ENGINE_API_EVENT_ECHO_H_

#include <string>

#include "absl/strings/string_view.h"

namespace nightjar::analytics_engine {

// `line`, which EventDecoder took, as it is. Only members that bear the name of a field of API v1,
// of another event type, and not its JSON type are left out: a sender of telemetry must not be able
// to write what no client can decode, and so keep everybody's alerts from everybody.
// kPaddingBytes (event_decoder.h) after `line` are readable.
std::string EchoEvent(absl::string_view line);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_EVENT_ECHO_H_
