// A set of networks in CIDR notation, for "is this address inside".
#ifndef SERVICES_COMMON_NETWORK_CIDR_SET_H_
#define SERVICES_COMMON_NETWORK_CIDR_SET_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/network/address.h"

namespace nightjar::network {

// Immutable once built, then safe to read from any thread. Contains() is a binary search over
// merged intervals.
class CidrSet {
 public:
  CidrSet() = default;

  // Adds "10.0.0.0/8", "fc00::/7" or a single address. kInvalidArgument names the text and what is
  // wrong with it; host bits that are set ("10.0.0.1/8") are accepted and ignored.
  absl::Status Add(absl::string_view cidr);

  bool Contains(const Address& address) const;
  bool empty() const { return intervals_.empty(); }

 private:
  struct Interval {
    Address first;
    Address last;
  };
  void AddInterval(Interval added);

  // Sorted by first, not overlapping.
  std::vector<Interval> intervals_;
};

// Addresses that are nobody's on the Internet (RFC 6890): private, loopback, link-local, multicast,
// unspecified ... Documentation networks (RFC 5737, 3849) count as public, because recorded and
// simulated telemetry uses them.
bool IsSpecialUse(const Address& address);

// RFC 1918, RFC 4193 and RFC 6598.
bool IsPrivate(const Address& address);

}  // namespace nightjar::network

#endif  // SERVICES_COMMON_NETWORK_CIDR_SET_H_
