#include "services/scorer/rendezvous.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"
#include "xxhash.h"

namespace nightjar::scorer {

size_t ChooseOwner(const std::vector<std::string>& names, absl::string_view key) {
  CHECK(!names.empty());
  size_t owner = 0;
  uint64_t highest = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    // A line feed stands in no address: ("ab", "c") is not ("a", "bc").
    const std::string text = absl::StrCat(names[i], "\n", key);
    const uint64_t hash = XXH3_64bits(text.data(), text.size());
    if (i == 0 || hash > highest || (hash == highest && names[i] < names[owner])) {
      owner = i;
      highest = hash;
    }
  }
  return owner;
}

}  // namespace nightjar::scorer
