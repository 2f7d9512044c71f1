// Local intel lists: files of domains and addresses that somebody vouches for as bad.
#ifndef SERVICES_COMMON_SIGNALS_LISTS_H_
#define SERVICES_COMMON_SIGNALS_LISTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/network/address.h"
#include "services/common/network/cidr_set.h"
#include "services/common/signals/facts.h"

namespace nightjar::signals {

inline constexpr size_t kListsMax = 64;
inline constexpr size_t kListFileBytesMax = 64 << 20;
inline constexpr size_t kListEntriesMax = 2'000'000;  // of all lists together

struct ListFile {
  std::string name;  // gives the signal list:<name>
  std::string path;
  uint32_t points = 60;  // 1 to 100
};

// One entry a line: a domain, "*.domain" (it and everything below), an address or a CIDR network.
// "#" starts a comment. Immutable after Load, then thread-safe. A look-up costs one hash probe a
// label or address, however many lists there are.
class ListSet {
 public:
  ListSet() = default;

  // All or nothing. Errors carry exit code 78: a file that cannot be read or is over a limit, and
  // "<file>:<line>: ..." for a line that is none of the above.
  static absl::StatusOr<std::shared_ptr<const ListSet>> Load(const std::vector<ListFile>& files);

  struct Hit {
    const ListFile* list;  // owned by the set
    std::string evidence;  // "dns query a.evil.example matches *.evil.example"
  };
  // At most one hit a list. Looks at the name or address asked for, the destination, and DNS
  // answers.
  void Find(const Facts& facts, std::vector<Hit>* hits) const;

  size_t entries() const { return entries_; }

 private:
  // Bit i: list i.
  using Mask = uint64_t;
  struct DomainLists {
    Mask exact = 0;
    Mask below = 0;  // from "*." entries
  };

  absl::Status LoadFile(size_t index);
  absl::Status AddLine(absl::string_view line, size_t index);
  void FindDomain(absl::string_view what, absl::string_view name, Mask* found,
                  std::vector<Hit>* hits) const;
  void FindAddress(absl::string_view what, const network::Address& address, Mask* found,
                   std::vector<Hit>* hits) const;
  void AddHits(Mask lists, const std::string& evidence, Mask* found, std::vector<Hit>* hits) const;

  std::vector<ListFile> files_;
  absl::flat_hash_map<std::string, DomainLists> domains_;
  absl::flat_hash_map<network::Address, Mask> addresses_;
  std::vector<network::CidrSet> networks_;  // one a list
  size_t entries_ = 0;
};

}  // namespace nightjar::signals

#endif  // SERVICES_COMMON_SIGNALS_LISTS_H_
