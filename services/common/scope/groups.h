// scope.yml: which networks are ours, and which destinations are nobody's business.
#ifndef SERVICES_COMMON_SCOPE_GROUPS_H_
#define SERVICES_COMMON_SCOPE_GROUPS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/config/yaml.h"
#include "services/common/network/address.h"
#include "services/common/network/cidr_set.h"
#include "services/common/network/domain.h"

namespace nightjar::scope {

inline constexpr size_t kGroupsMax = 1000;

// One entry of `groups`. Immutable once built, then thread-safe.
struct Group {
  bool Matches(const network::Address& source) const {
    return every_source || in_scope.Contains(source);
  }

  std::string name;
  std::string label;
  // An empty `in_scope` in the file means every address.
  bool every_source = true;
  network::CidrSet in_scope;
  network::CidrSet out_scope;
  network::DomainSet trusted_domains;
  network::CidrSet trusted_ips;
};

// Reads `groups: {<name>: {label, in_scope[], out_scope[], trusted_domains[], trusted_ips[]}}`.
// kInvalidArgument (exit code 78) with file, line, path (which names the group) and what was got:
// unknown keys, bad networks, bad domains, wrong shapes. No groups is a valid file: everything is
// in scope then.
absl::StatusOr<std::vector<Group>> ParseGroups(const config::YamlNode& root);

// The same from a file.
absl::StatusOr<std::vector<Group>> LoadGroups(const std::string& path);

// What holds without a file: private networks are in scope; local names and non-public addresses
// are trusted.
std::vector<Group> DefaultGroups();

}  // namespace nightjar::scope

#endif  // SERVICES_COMMON_SCOPE_GROUPS_H_
