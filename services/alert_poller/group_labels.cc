#include "services/alert_poller/group_labels.h"

namespace nightjar::alert_poller {

void LabelGroups(const std::vector<scope::Group>& groups, alerts::v1::Alert* alert) {
  alert->clear_groups();
  const auto source = network::Address::Parse(alert->event().source_ip());
  if (!source.has_value()) return;
  for (const scope::Group& group : groups) {
    if (!group.Matches(*source) || group.out_scope.Contains(*source)) continue;
    alerts::v1::Group& label = *alert->add_groups();
    label.set_label(group.name);
    label.set_description(group.label);
  }
}

}  // namespace nightjar::alert_poller
