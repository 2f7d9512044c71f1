// An alert in ArcSight's Common Event Format, as NFR writes it: one line a threat.
#ifndef SERVICES_ALERT_POLLER_FORMATS_CEF_H_
#define SERVICES_ALERT_POLLER_FORMATS_CEF_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/alerts/v1/alert.pb.h"

namespace nightjar::alert_poller {

// Lines without their ends. `version` goes into the header. Behind NFR's keys comes what NFR does
// not know, where the engine gave it: externalId (the alert's id), cs3 (the documents it rests on,
// index/id). Pure.
std::vector<std::string> EncodeCef(const alerts::v1::Alert& alert, absl::string_view version);

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_FORMATS_CEF_H_
