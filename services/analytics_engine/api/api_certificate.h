// The certificate that the API shows; it can be changed while the API serves.
#ifndef SERVICES_ANALYTICS_ENGINE_API_API_CERTIFICATE_H_
#define SERVICES_ANALYTICS_ENGINE_API_API_CERTIFICATE_H_

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"

namespace nightjar::analytics_engine {

// Thread-safe. Outlives the contexts it is installed in.
class ApiCertificate {
 public:
  // PEM files: the chain, the API's own certificate first, and its key. Handshakes from then on
  // show it; connections go on as they are. Exit code 78 names both files and the reason, and the
  // certificate of before stays.
  absl::Status Load(const std::string& certificate_file, const std::string& key_file);

  // Makes `context` show the certificate, to TLS 1.2 and newer.
  void Install(SSL_CTX& context);

 private:
  static int OnHandshake(SSL* connection, void* self);

  std::mutex mutex_;
  std::shared_ptr<SSL_CTX> loaded_;  // holds chain and key; guarded by mutex_
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_API_CERTIFICATE_H_
