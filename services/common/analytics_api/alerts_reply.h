// Reads the engine's reply to GET /v1/alerts, with distrust.
#ifndef SERVICES_COMMON_ANALYTICS_API_ALERTS_REPLY_H_
#define SERVICES_COMMON_ANALYTICS_API_ALERTS_REPLY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/alerts/v1/alert.pb.h"

namespace nightjar::analytics_api {

inline constexpr size_t kAlertsReplyBytesMax = 32 << 20;
inline constexpr size_t kAlertsPageMax = 10'000;  // alerts in one reply
inline constexpr size_t kFollowBytesMax = 1024;

// False when the id was made here, from the alert's content.
bool HasEngineId(const alerts::v1::Alert& alert);

struct AlertsPage {
  std::vector<alerts::v1::Alert> alerts;  // in the engine's order, without groups
  std::string follow;                     // bookmark for the next call; empty: none given
  bool more = false;                      // ask again at once
};

// `body` is followed by at least 64 readable bytes (http::Response::body). Unknown keys are
// ignored, absent and null ones are empty; texts are cut at 4 KiB, lists at 64 entries. A threat
// that the page does not describe gets its id as title and severity 0; an alert without any gets
// one named `unnamed`; threats come strongest first. kUnavailable, saying what is wrong and where,
// for anything but a JSON object whose known keys have the types of the API, more than
// kAlertsPageMax alerts, or a bookmark over kFollowBytesMax: nothing of such a page may be taken,
// its bookmark least of all.
absl::StatusOr<AlertsPage> ParseAlertsReply(absl::string_view content_type, absl::string_view body);

}  // namespace nightjar::analytics_api

#endif  // SERVICES_COMMON_ANALYTICS_API_ALERTS_REPLY_H_
