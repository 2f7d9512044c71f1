// How one event ends here, or with which score it goes on. The one place that knows the order of
// the reasons.
#ifndef SERVICES_SCORER_EVENT_FILTER_H_
#define SERVICES_SCORER_EVENT_FILTER_H_

#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/event.pb.h"
#include "services/common/config/config.h"
#include "services/common/signals/signals.h"
#include "services/scorer/flow_rules.h"
#include "services/scorer/scope/scope.h"

namespace nightjar::scorer {

// Immutable, thread-safe; a reload makes a new one.
class EventFilter {
 public:
  // `threshold`: events scored lower are filtered.
  EventFilter(std::shared_ptr<const Scope> scope, std::shared_ptr<const signals::SignalSet> signals,
              FlowRules flow_rules, config::EngineKind kind, uint32_t threshold);

  // Empty: the event goes on, with its score and trusted mark set. Else why it ends as
  // filtered(<reason>), the first of:
  //   unsupported_type   no event type of the engine (kind alphasoc: leases too)
  //   icmp_transaction   kind alphasoc: the same packets are reported as a flow
  //   no_ip              no source; for flows, icmp and tls no destination either
  //   no_query           a dns event without a name
  //   flow_update        an interim flow report that flows.emit holds back
  //   not_in_scope, excluded, trusted_ip, trusted_domain   see scope/scope.h
  //   below_threshold    scored under scoring.threshold
  // engine.analyze.* does not filter: NFR ignores these keys for events that come from
  // Elasticsearch.
  absl::string_view Apply(telemetry::v1::Event* event) const;

 private:
  absl::string_view ReasonOfKind(const telemetry::v1::Event& event) const;

  std::shared_ptr<const Scope> scope_;
  std::shared_ptr<const signals::SignalSet> signals_;
  FlowRules flow_rules_;
  config::EngineKind kind_;
  uint32_t threshold_;
};

}  // namespace nightjar::scorer

#endif  // SERVICES_SCORER_EVENT_FILTER_H_
