// An alert as one line of JSON, as NFR writes it.
#ifndef SERVICES_ALERT_POLLER_FORMATS_NFR_JSON_H_
#define SERVICES_ALERT_POLLER_FORMATS_NFR_JSON_H_

#include <string>

#include "proto/alerts/v1/alert.pb.h"

namespace nightjar::alert_poller {

// Without its line end. Keys, their order and what is left out when empty are NFR's. Behind them
// comes what NFR does not know, where the engine gave it: `id`, `mitreAttack`, `detections` with
// the documents they rest on. Pure.
std::string EncodeNfrJson(const alerts::v1::Alert& alert);

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_FORMATS_NFR_JSON_H_
