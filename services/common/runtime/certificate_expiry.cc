#include "services/common/runtime/certificate_expiry.h"

#include <algorithm>
#include <ctime>
#include <memory>

#include "absl/strings/str_cat.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/pem.h"
#include "openssl/x509.h"

namespace nightjar::runtime {
namespace {

constexpr int kCertificatesMax = 100;

using File = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate ReadNext(BIO* file) {
  return Certificate(PEM_read_bio_X509(file, nullptr, nullptr, nullptr), &X509_free);
}

// The reader's way to say that the file has ended.
bool NothingMore() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

}  // namespace

absl::StatusOr<absl::Time> CertificateExpiry(const std::string& path) {
  ERR_clear_error();
  const File file(BIO_new_file(path.c_str(), "r"), &BIO_free);
  if (file == nullptr) {
    ERR_clear_error();
    return absl::NotFoundError(absl::StrCat("certificate file ", path, " cannot be opened"));
  }
  absl::Time earliest = absl::InfiniteFuture();
  for (int i = 0; i < kCertificatesMax; ++i) {
    const Certificate certificate = ReadNext(file.get());
    if (certificate == nullptr) break;
    std::tm end{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("certificate file ", path, ": certificate ", i + 1, " has no valid end"));
    }
    earliest = std::min(earliest, absl::FromTM(end, absl::UTCTimeZone()));
  }
  const bool whole = ERR_peek_last_error() == 0 || NothingMore();
  ERR_clear_error();
  if (whole && earliest < absl::InfiniteFuture()) return earliest;
  return absl::InvalidArgumentError(
      absl::StrCat("certificate file ", path, whole ? " holds no certificate" : " is damaged"));
}

}  // namespace nightjar::runtime
