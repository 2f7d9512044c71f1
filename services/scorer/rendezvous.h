// Which of several takers owns a key, without any of them knowing the others.
#ifndef SERVICES_SCORER_RENDEZVOUS_H_
#define SERVICES_SCORER_RENDEZVOUS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace nightjar::scorer {

// Index of the name with the highest hash together with `key` (Thaler and Ravishankar, 1998).
// `names` is not empty. The answer does not depend on their order, and removing one moves only its
// own keys. Pure.
size_t ChooseOwner(const std::vector<std::string>& names, absl::string_view key);

}  // namespace nightjar::scorer

#endif  // SERVICES_SCORER_RENDEZVOUS_H_
