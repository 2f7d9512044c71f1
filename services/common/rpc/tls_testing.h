// Certificates of every kind, good and bad, made while a test runs.
#ifndef SERVICES_COMMON_RPC_TLS_TESTING_H_
#define SERVICES_COMMON_RPC_TLS_TESTING_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/common/rpc/security.h"

typedef struct evp_pkey_st EVP_PKEY;
typedef struct x509_st X509;

namespace nightjar::rpc {

struct CertificateSpec {
  std::string subject_alt_name = "DNS:scorer.nightjar,IP:127.0.0.1";
  absl::Duration valid_from = -absl::Hours(1);  // from now
  absl::Duration valid_until = absl::Hours(24);
  std::string extended_key_usage = "serverAuth,clientAuth";
  bool self_signed = false;
};

// Stops the test when OpenSSL fails. Files go to a new folder.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  const std::string& file() const { return file_; }
  std::string pem() const;
  // With this authority as the one to trust.
  SecurityOptions Issue(const CertificateSpec& spec = {}) const;

 private:
  std::string folder_;
  std::string file_;
  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_TLS_TESTING_H_
