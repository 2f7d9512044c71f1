// Text from outside, made safe for a log, a terminal or a protobuf string.
#ifndef SERVICES_COMMON_RUNTIME_PRINTABLE_H_
#define SERVICES_COMMON_RUNTIME_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace nightjar::runtime {

// `text` with newlines and tabs as \n, \r, \t, other control characters (C0, DEL, C1), line
// separators and bidirectional overrides as \xNN per byte, and bytes that are not UTF-8 as \xNN.
// The rest stays. The result is valid UTF-8 on one line. At most `bytes_max` bytes of `text` are
// kept; "..." then follows.
std::string Printable(absl::string_view text, size_t bytes_max = 4096);

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_PRINTABLE_H_
