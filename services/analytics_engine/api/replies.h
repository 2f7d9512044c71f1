// Bodies of the API's replies.
#ifndef SERVICES_ANALYTICS_ENGINE_API_REPLIES_H_
#define SERVICES_ANALYTICS_ENGINE_API_REPLIES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/analytics_engine/store/alert_store.h"
#include "services/common/analytics_api/events_reply.h"

namespace nightjar::analytics_engine {

// {"message":"..."}: of every reply that is not 200.
std::string MessageJson(absl::string_view message);

// {"received","accepted","rejected":{reason:n},"rejectedLines":[{"line","reason"}]}
std::string EventsReplyJson(const analytics_api::EventsReply& reply);

// `expires`: when the key ends, unset for never.
std::string AccountJson(absl::Time now, std::optional<absl::Time> expires, uint64_t sources_today);

// {"follow","more","alerts":[...],"threats":{id:{"title","severity","policy"}}}: the threats that
// stand in the page, or all.
std::string AlertsJson(const AlertPage& page, bool all_threats);

std::string ThreatsJson();  // {"threats":{...}}
std::string FlagsJson();    // {"flags":{name:{"title","type"}}}

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_REPLIES_H_
