// Certificates made while a test runs, by the openssl command.
#ifndef SERVICES_COMMON_HTTP_TEST_CERTIFICATES_H_
#define SERVICES_COMMON_HTTP_TEST_CERTIFICATES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace nightjar::http {

// A certificate authority of its own, in a new folder. Stops the test when openssl fails.
class TestAuthority {
 public:
  TestAuthority();

  const std::string& certificate_file() const { return certificate_file_; }
  // SHA-256 with colons, as openssl prints it.
  std::string fingerprint() const;

  struct Issued {
    std::string chain_file;  // the certificate, then the authority's
    std::string key_file;
  };
  // `subject_alt_name` as openssl wants it: "DNS:localhost,IP:127.0.0.1".
  Issued Issue(absl::string_view subject_alt_name) const;

 private:
  std::string folder_;
  std::string certificate_file_;
  std::string key_file_;
};

}  // namespace nightjar::http

#endif  // SERVICES_COMMON_HTTP_TEST_CERTIFICATES_H_
