// When a certificate file runs out.
#ifndef SERVICES_COMMON_RUNTIME_CERTIFICATE_EXPIRY_H_
#define SERVICES_COMMON_RUNTIME_CERTIFICATE_EXPIRY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace nightjar::runtime {

// The earliest end of validity of the certificates in a PEM file (at most 100: a chain is as good
// as its weakest link). kNotFound when the file cannot be opened, kInvalidArgument when it holds no
// certificate or a broken one; the message names the file.
absl::StatusOr<absl::Time> CertificateExpiry(const std::string& path);

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_CERTIFICATE_EXPIRY_H_
