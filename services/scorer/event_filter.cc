#include "services/scorer/event_filter.h"

#include <utility>

namespace nightjar::scorer {

using telemetry::v1::Event;

EventFilter::EventFilter(std::shared_ptr<const Scope> scope,
                         std::shared_ptr<const signals::SignalSet> signals, FlowRules flow_rules,
                         config::EngineKind kind, uint32_t threshold)
    : scope_(std::move(scope)),
      signals_(std::move(signals)),
      flow_rules_(flow_rules),
      kind_(kind),
      threshold_(threshold) {}

// What the body alone tells.
absl::string_view EventFilter::ReasonOfKind(const Event& event) const {
  const bool alphasoc = kind_ == config::EngineKind::kAlphaSoc;
  switch (event.body_case()) {
    case Event::kDns:
    case Event::kIp:
    case Event::kHttp:
    case Event::kTls:
      return "";
    case Event::kIcmp:
      return alphasoc ? "icmp_transaction" : "";
    case Event::kLease:
      return alphasoc ? "unsupported_type" : "";
    case Event::kOther:
    case Event::BODY_NOT_SET:
      break;
  }
  return "unsupported_type";
}

absl::string_view EventFilter::Apply(Event* event) const {
  if (const absl::string_view reason = ReasonOfKind(*event); !reason.empty()) return reason;
  // A lease is about an address, not traffic of one: it has no scope, and its source is often
  // 0.0.0.0.
  if (event->has_lease()) return "";
  const bool needs_destination = event->has_ip() || event->has_tls() || event->has_icmp();
  if (event->source_ip().empty() || (needs_destination && event->destination_ip().empty()))
    return "no_ip";
  if (event->has_dns() && event->dns().query().empty()) return "no_query";
  if (event->has_ip() && !flow_rules_.Leaves(*event)) return "flow_update";

  const signals::Facts facts(*event);
  if (!facts.source || (needs_destination && !facts.destination)) return "no_ip";
  const ScopeDecision scope = scope_->Decide(facts);
  if (!scope.filtered.empty()) return scope.filtered;
  event->set_trusted(scope.trusted);
  signals_->Evaluate(facts, event->mutable_score());
  return event->score().value() < threshold_ ? "below_threshold" : "";
}

}  // namespace nightjar::scorer
