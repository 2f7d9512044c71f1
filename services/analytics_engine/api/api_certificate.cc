#include "services/analytics_engine/api/api_certificate.h"

#include <openssl/err.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/status/exit_status.h"

namespace nightjar::analytics_engine {
namespace {

// The first error of this thread, in OpenSSL's words.
std::string Reason() {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return reason == nullptr ? "unknown error" : reason;
}

}  // namespace

absl::Status ApiCertificate::Load(const std::string& certificate_file,
                                  const std::string& key_file) {
  ERR_clear_error();
  const std::shared_ptr<SSL_CTX> loaded(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  const bool usable =
      loaded != nullptr &&
      SSL_CTX_use_certificate_chain_file(loaded.get(), certificate_file.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(loaded.get(), key_file.c_str(), SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_check_private_key(loaded.get()) == 1;
  if (!usable) {
    return ConfigError(absl::StrCat("security.certificate_file ", certificate_file,
                                    " and key_file ", key_file, " cannot be used for the API (",
                                    Reason(), "): not PEM, not readable, or not a pair"));
  }
  std::lock_guard<std::mutex> lock(mutex_);
  loaded_ = loaded;
  return absl::OkStatus();
}

void ApiCertificate::Install(SSL_CTX& context) {
  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  SSL_CTX_set_options(&context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_cert_cb(&context, &ApiCertificate::OnHandshake, this);
}

int ApiCertificate::OnHandshake(SSL* connection, void* self) {
  auto& certificate = *static_cast<ApiCertificate*>(self);
  std::lock_guard<std::mutex> lock(certificate.mutex_);
  SSL_CTX* loaded = certificate.loaded_.get();
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(loaded, &chain);
  return SSL_use_cert_and_key(connection, SSL_CTX_get0_certificate(loaded),
                              SSL_CTX_get0_privatekey(loaded), chain, /*override=*/1);
}

}  // namespace nightjar::analytics_engine
