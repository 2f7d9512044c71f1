// Reads the engine's reply to a body of events, with distrust.
#ifndef SERVICES_COMMON_ANALYTICS_API_EVENTS_REPLY_H_
#define SERVICES_COMMON_ANALYTICS_API_EVENTS_REPLY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nightjar::analytics_api {

// What the engine said about one body. `accepted` + sum of `rejected` <= `received`.
struct EventsReply {
  uint64_t received = 0;
  uint64_t accepted = 0;
  std::map<std::string, uint64_t> rejected;  // by the engine's reason
  // Which lines (from 0) were rejected and why; engines may leave it out.
  struct RejectedLine {
    uint64_t line = 0;
    std::string reason;
  };
  std::vector<RejectedLine> rejected_lines;
};

// `body` is followed by at least 64 readable bytes (http::Response::body). kUnavailable, saying
// what is wrong, for anything but a JSON object whose counts are integers with received == `sent`
// and accepted + rejected <= received: such a reply tells nothing about the events. `content_type`
// is lower case, without parameters.
absl::StatusOr<EventsReply> ParseEventsReply(absl::string_view content_type, absl::string_view body,
                                             uint64_t sent);

// The `message` of an error reply, or empty when it is not {"message": "..."}. Same padding.
std::string ErrorMessage(absl::string_view body);

}  // namespace nightjar::analytics_api

#endif  // SERVICES_COMMON_ANALYTICS_API_EVENTS_REPLY_H_
