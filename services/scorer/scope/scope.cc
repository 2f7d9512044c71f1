#include "services/scorer/scope/scope.h"

#include "services/common/network/domain.h"

namespace nightjar::scorer {
namespace {

using network::Address;
using scope::Group;
using signals::Facts;

// Why `group` trusts where the event leads to; empty when it does not.
absl::string_view TrustedBy(const Group& group, const Facts& facts) {
  if (facts.event.has_dns() || facts.event.has_http()) {
    const bool trusted =
        network::IsHostName(facts.host) && group.trusted_domains.Contains(facts.host);
    return trusted ? "trusted_domain" : "";
  }
  return facts.destination && group.trusted_ips.Contains(*facts.destination) ? "trusted_ip" : "";
}

}  // namespace

// `address` is the side that is judged. One matching group that says no is enough.
ScopeDecision Scope::DecideByAddress(const Facts& facts, const Address& address,
                                     bool keep_trusted) const {
  ScopeDecision decision;
  decision.filtered = "not_in_scope";
  for (const Group& group : groups_) {
    if (!group.Matches(address)) continue;
    if (group.out_scope.Contains(address)) return {"excluded", false};
    if (decision.filtered == "not_in_scope") decision.filtered = "";
    const absl::string_view trusted = TrustedBy(group, facts);
    if (trusted.empty()) continue;
    if (keep_trusted) {
      decision.trusted = true;
    } else {
      decision.filtered = trusted;
    }
  }
  return decision;
}

ScopeDecision Scope::Decide(const Facts& facts) const {
  if (groups_.empty()) return {};
  const bool keep_trusted = kind_ == config::EngineKind::kNightjar;
  ScopeDecision decision = DecideByAddress(facts, *facts.source, keep_trusted);
  const bool from_outside = decision.filtered == "not_in_scope";
  if (from_outside && kind_ == config::EngineKind::kNightjar && facts.destination) {
    decision = DecideByAddress(facts, *facts.destination, keep_trusted);
  }
  return decision;
}

}  // namespace nightjar::scorer
