// Trust in one certificate, named by its SHA-256 fingerprint.
#ifndef SERVICES_COMMON_HTTP_PINNED_CERTIFICATE_H_
#define SERVICES_COMMON_HTTP_PINNED_CERTIFICATE_H_

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nightjar::http {

// Replaces OpenSSL's search for a trusted root: a peer is accepted when its chain, as sent, holds
// the certificate and verifies up to it. That the certificate is merely sent along proves nothing,
// as it is public. Host names are checked elsewhere. Not thread-safe; outlives the SSL_CTX.
class PinnedCertificate {
 public:
  // `hex`: 64 digits, colons between bytes allowed. kInvalidArgument for anything else.
  static absl::StatusOr<PinnedCertificate> FromHex(absl::string_view hex);

  // Every connection made with `context` is checked from now on.
  void Install(SSL_CTX* context);

  // Why the latest check failed; empty if it did not.
  const std::string& refusal() const { return refusal_; }
  void ClearRefusal() { refusal_.clear(); }

 private:
  static int Verify(X509_STORE_CTX* chain, void* self);
  X509* Find(X509_STORE_CTX* chain) const;
  bool Matches(const X509* certificate) const;

  std::array<uint8_t, 32> fingerprint_{};
  std::string refusal_;
};

}  // namespace nightjar::http

#endif  // SERVICES_COMMON_HTTP_PINNED_CERTIFICATE_H_
