// gzip for request bodies.
#ifndef SERVICES_COMMON_ANALYTICS_API_GZIP_H_
#define SERVICES_COMMON_ANALYTICS_API_GZIP_H_

#include <string>

#include "absl/strings/string_view.h"

namespace nightjar::analytics_api {

// Replaces `out` by `data` in gzip format (RFC 1952), zlib level 1: a body must be cheap rather
// than small. `out` keeps its capacity. Thread-safe.
void Gzip(absl::string_view data, std::string* out);

}  // namespace nightjar::analytics_api

#endif  // SERVICES_COMMON_ANALYTICS_API_GZIP_H_
