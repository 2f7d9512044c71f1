#include "services/common/rpc/tls_testing.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"

namespace nightjar::rpc {
namespace {

std::string NewFolder() {
  const char* const base = getenv("TEST_TMPDIR");
  std::string path = absl::StrCat(base != nullptr ? base : "/tmp", "/tls-XXXXXX");
  CHECK(mkdtemp(path.data()) != nullptr);
  return path;
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  CHECK(extension != nullptr);
  CHECK(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

// Unsigned, for the holder of `key`.
X509* NewCertificate(EVP_PKEY* key, const std::string& name, absl::Duration valid_from,
                     absl::Duration valid_until) {
  static std::atomic<long> serial{1};
  X509* const certificate = X509_new();
  CHECK(X509_set_version(certificate, 2) == 1);  // which is version 3
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), absl::ToInt64Seconds(valid_from));
  X509_gmtime_adj(X509_getm_notAfter(certificate), absl::ToInt64Seconds(valid_until));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  CHECK(X509_set_pubkey(certificate, key) == 1);
  return certificate;
}

// Over a file of the same name in one step, as a rotation does.
template <typename WritePem>
void WriteFile(const std::string& path, WritePem write) {
  FILE* const file = fopen((path + ".new").c_str(), "w");
  CHECK(file != nullptr);
  CHECK(write(file) == 1);
  CHECK(fclose(file) == 0);
  CHECK(rename((path + ".new").c_str(), path.c_str()) == 0);
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name)
    : folder_(NewFolder()),
      file_(folder_ + "/authority.pem"),
      key_(EVP_EC_gen("P-256")),
      certificate_(NewCertificate(key_, name, -absl::Hours(24), absl::Hours(48))) {
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  AddExtension(certificate_, certificate_, NID_basic_constraints, "critical,CA:TRUE");
  CHECK(X509_sign(certificate_, key_, EVP_sha256()) > 0);
  WriteFile(file_, [&](FILE* file) { return PEM_write_X509(file, certificate_); });
}

TestAuthority::~TestAuthority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

std::string TestAuthority::pem() const {
  std::ostringstream text;
  text << std::ifstream(file_).rdbuf();
  return text.str();
}

SecurityOptions TestAuthority::Issue(const CertificateSpec& spec) const {
  static std::atomic<int> issued{0};
  const std::string base = absl::StrCat(folder_, "/", ++issued);
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = NewCertificate(key, "issued", spec.valid_from, spec.valid_until);
  X509* const issuer = spec.self_signed ? certificate : certificate_;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  AddExtension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(certificate, issuer, NID_subject_alt_name, spec.subject_alt_name);
  AddExtension(certificate, issuer, NID_ext_key_usage, spec.extended_key_usage);
  CHECK(X509_sign(certificate, spec.self_signed ? key : key_, EVP_sha256()) > 0);
  WriteFile(base + ".pem", [&](FILE* file) { return PEM_write_X509(file, certificate); });
  WriteFile(base + ".key", [&](FILE* file) {
    return PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  X509_free(certificate);
  EVP_PKEY_free(key);
  SecurityOptions options;
  options.ca_file = file_;
  options.certificate_file = base + ".pem";
  options.key_file = base + ".key";
  return options;
}

}  // namespace nightjar::rpc
