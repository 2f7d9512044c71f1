// DNS names: normal form, list matching and the registrable domain.
#ifndef SERVICES_COMMON_NETWORK_DOMAIN_H_
#define SERVICES_COMMON_NETWORK_DOMAIN_H_

#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nightjar::network {

// Lower case, no final dot. Other bytes stay as they are.
std::string NormalizeDomain(absl::string_view name);

// Undoes the \DDD and \. escapes that sensors write for bytes outside letters, digits and hyphen.
std::string UnescapeDomain(absl::string_view name);

// True for names as hosts have them: LDH-and-underscore labels of 1..63, 254 in all, at least one
// letter, no final dot.
bool IsHostName(absl::string_view name);

// The registrable domain (eTLD+1) of a normalised name by the Public Suffix List, private section
// included; empty when the name is itself a suffix, has one label, or is an address. Thread-safe;
// the list is libpsl's built-in one.
absl::string_view RegistrableDomain(absl::string_view normalized);

// True when the last label is a suffix the Public Suffix List knows (so not "localdomain" or random
// text).
bool HasKnownSuffix(absl::string_view normalized);

// A set of names where "*.example.com" stands for example.com and everything below, and
// "example.com" for itself only. Immutable once built, then safe to read from any thread.
class DomainSet {
 public:
  // Entries are normalised. kInvalidArgument names an entry that is neither a host name nor "*."
  // and one.
  absl::Status Add(absl::string_view entry);

  // `normalized` must be in normal form. Cost: one hash look-up a label.
  bool Contains(absl::string_view normalized) const;
  bool empty() const { return exact_.empty() && below_.empty(); }

 private:
  absl::flat_hash_set<std::string> exact_;
  absl::flat_hash_set<std::string> below_;  // without "*."
};

}  // namespace nightjar::network

#endif  // SERVICES_COMMON_NETWORK_DOMAIN_H_
