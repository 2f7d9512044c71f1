// Alerts as API v1 gives them.
#ifndef SERVICES_ANALYTICS_ENGINE_API_ALERT_JSON_H_
#define SERVICES_ANALYTICS_ENGINE_API_ALERT_JSON_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/analytics_engine/detectors/finding.h"
#include "services/analytics_engine/store/alert_store.h"

namespace nightjar::analytics_engine {

// The alert that one event's findings make (at least one); id and time of making are left to the
// caller. `event` is the client's JSON object.
StoredAlert MakeAlert(absl::string_view event_type, absl::string_view event,
                      std::vector<Finding> findings);

// Appends the alert as one JSON object:
//   {"id","created","eventType","event":{...},"threats":[id],"wisdom":{"flags":[],"labels":[],
//    "domain"},"detections":[{"id","key","severity","threat","count","measure","value","threshold",
//    "samples":[{"index","documentID","sensorID","site"}]}],"mitreAttack":["TA0011:T1071"]}
// Clients of API v1 know eventType, event, threats and wisdom, and ignore the rest.
void AppendAlert(const StoredAlert& alert, std::string* out);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_ALERT_JSON_H_
