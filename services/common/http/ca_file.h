// Files of certificate authorities, before they are needed.
#ifndef SERVICES_COMMON_HTTP_CA_FILE_H_
#define SERVICES_COMMON_HTTP_CA_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nightjar::http {

// Exit code 78, naming `key`, the path and the reason, unless `path` is empty or leads to a PEM
// file with a certificate.
absl::Status CheckCaFile(absl::string_view key, const std::string& path);

}  // namespace nightjar::http

#endif  // SERVICES_COMMON_HTTP_CA_FILE_H_
