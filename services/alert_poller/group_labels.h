// Which scope groups an alert belongs to.
#ifndef SERVICES_ALERT_POLLER_GROUP_LABELS_H_
#define SERVICES_ALERT_POLLER_GROUP_LABELS_H_

#include <vector>

#include "proto/alerts/v1/alert.pb.h"
#include "services/common/scope/groups.h"

namespace nightjar::alert_poller {

// Sets the alert's groups: every one that has its source in scope and does not exclude it. None
// without a source address. Pure.
void LabelGroups(const std::vector<scope::Group>& groups, alerts::v1::Alert* alert);

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_GROUP_LABELS_H_
