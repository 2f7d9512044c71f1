// Decides whether an event concerns the networks in scope.
//
// Two readings of the same groups. For engines of kind alphasoc it is NFR's:
// - A group matches when the source is in its in_scope. An event that no group matches is
// not_in_scope.
// - Any matching group can stop the event: source in out_scope (excluded); for flows and tls,
// destination in trusted_ips
//   (trusted_ip); for dns and http, the name in trusted_domains (trusted_domain; no name or no host
//   name: not tested).
// - dns and http are judged without their destination. Without any group everything is in scope.
// For kind nightjar a group also matches by the destination when no group has the source (traffic
// from outside), and what is trusted is kept and marked: lateral movement and inbound SMB or RDP
// would never be seen otherwise.
#ifndef SERVICES_SCORER_SCOPE_SCOPE_H_
#define SERVICES_SCORER_SCOPE_SCOPE_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "services/common/config/config.h"
#include "services/common/scope/groups.h"
#include "services/common/signals/facts.h"

namespace nightjar::scorer {

struct ScopeDecision {
  // Empty: in scope. Else the reason: not_in_scope, excluded, trusted_ip, trusted_domain. A
  // literal.
  absl::string_view filtered;
  // Kind nightjar: the destination is on a trusted list.
  bool trusted = false;
};

// Immutable, thread-safe.
class Scope {
 public:
  Scope(std::vector<scope::Group> groups, config::EngineKind kind)
      : groups_(std::move(groups)), kind_(kind) {}

  // The event has a source, and a destination if it is a flow, icmp or tls.
  ScopeDecision Decide(const signals::Facts& facts) const;

  const std::vector<scope::Group>& groups() const { return groups_; }

 private:
  ScopeDecision DecideByAddress(const signals::Facts& facts, const network::Address& address,
                                bool keep_trusted) const;

  std::vector<scope::Group> groups_;
  config::EngineKind kind_;
};

}  // namespace nightjar::scorer

#endif  // SERVICES_SCORER_SCOPE_SCOPE_H_
