#include "services/common/http/pinned_certificate.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace nightjar::http {

absl::StatusOr<PinnedCertificate> PinnedCertificate::FromHex(absl::string_view hex) {
  const std::string digits = absl::StrReplaceAll(hex, {{":", ""}});
  PinnedCertificate pinned;
  if (digits.size() != 2 * pinned.fingerprint_.size() ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isxdigit)) {
    return absl::InvalidArgumentError(
        absl::StrCat("certificate fingerprint: expected 64 hexadecimal digits (SHA-256), got \"",
                     hex.substr(0, 100), "\""));
  }
  const std::string bytes = absl::HexStringToBytes(digits);
  std::copy(bytes.begin(), bytes.end(), pinned.fingerprint_.begin());
  return pinned;
}

void PinnedCertificate::Install(SSL_CTX* context) {
  SSL_CTX_set_cert_verify_callback(context, &PinnedCertificate::Verify, this);
}

bool PinnedCertificate::Matches(const X509* certificate) const {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned bytes = 0;
  return X509_digest(certificate, EVP_sha256(), digest, &bytes) == 1 &&
         bytes == fingerprint_.size() &&
         std::equal(fingerprint_.begin(), fingerprint_.end(), digest);
}

X509* PinnedCertificate::Find(X509_STORE_CTX* chain) const {
  X509* leaf = X509_STORE_CTX_get0_cert(chain);
  if (leaf != nullptr && Matches(leaf)) return leaf;
  STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(chain);
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    if (Matches(sk_X509_value(sent, i))) return sk_X509_value(sent, i);
  }
  return nullptr;
}

int PinnedCertificate::Verify(X509_STORE_CTX* chain, void* self) {
  auto& pinned = *static_cast<PinnedCertificate*>(self);
  X509* found = pinned.Find(chain);
  if (found == nullptr) {
    X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_UNTRUSTED);
    pinned.refusal_ = "no certificate that the server sent has the configured fingerprint";
    return 0;
  }
  // The only trust anchor, even when it is no root.
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> trusted(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  sk_X509_push(trusted.get(), found);
  X509_STORE_CTX_set0_trusted_stack(chain, trusted.get());
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(chain), X509_V_FLAG_PARTIAL_CHAIN);
  const int verified = X509_verify_cert(chain);
  if (verified != 1) {
    const int error = X509_STORE_CTX_get_error(chain);
    pinned.refusal_ = absl::StrCat("the chain does not lead to the certificate with the configured",
                                   " fingerprint: ", X509_verify_cert_error_string(error));
  }
  return verified == 1;
}

}  // namespace nightjar::http
