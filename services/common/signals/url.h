// The parts of a URL that say where it leads.
#ifndef SERVICES_COMMON_SIGNALS_URL_H_
#define SERVICES_COMMON_SIGNALS_URL_H_

#include "absl/strings/string_view.h"

namespace nightjar::signals {

// Views into the text given to ParseUrl.
struct Url {
  absl::string_view scheme;  // as written; empty: none
  absl::string_view user;    // with password; empty: none
  absl::string_view host;    // without brackets, port or final dot; empty: none found
  absl::string_view port;    // digits; empty: none
  absl::string_view path;    // from "/", without query and fragment
};

// Never fails: what is not there stays empty. The user part ends at the last @ before the path, so
// that "http://trusted.lan@evil.example/" leads to evil.example.
Url ParseUrl(absl::string_view text);

}  // namespace nightjar::signals

#endif  // SERVICES_COMMON_SIGNALS_URL_H_
