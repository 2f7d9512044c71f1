#include "services/common/rpc/peer_certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace nightjar::rpc {
namespace {

// OpenSSL's own default: RSA and DH from 2048 bits, no SHA-1.
constexpr int kSecurityLevel = 2;
// Of a peer's chain and names; the rest is not looked at, or not told.
constexpr size_t kChainMax = 10;
constexpr size_t kNamesToldMax = 4;

template <typename T, void (*kFree)(T*)>
struct Deleter {
  void operator()(T* object) const { kFree(object); }
};
void FreeBio(BIO* bio) { BIO_free(bio); }
void FreeStack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
using BioPtr = std::unique_ptr<BIO, Deleter<BIO, FreeBio>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using StackPtr = std::unique_ptr<STACK_OF(X509), Deleter<STACK_OF(X509), FreeStack>>;
using StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE, X509_STORE_free>>;
using ContextPtr = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX, X509_STORE_CTX_free>>;

BioPtr Reader(absl::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

CertificatePtr ReadOne(BIO* bio) {
  return CertificatePtr(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
}

StackPtr ReadChain(absl::string_view pem) {
  StackPtr chain(sk_X509_new_null());
  const BioPtr bio = Reader(pem);
  for (size_t i = 0; i < kChainMax; ++i) {
    CertificatePtr certificate = ReadOne(bio.get());
    if (certificate == nullptr) break;
    sk_X509_push(chain.get(), certificate.release());
  }
  return chain;
}

// What `print` writes into a BIO.
template <typename Print>
std::string Printed(Print print) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  print(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : "";
}

std::string Text(const X509_NAME* name) {
  return Printed([&](BIO* bio) { X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE); });
}

std::string Text(const ASN1_TIME* time) {
  return Printed([&](BIO* bio) { ASN1_TIME_print(bio, time); });
}

// The first DNS names.
std::string Names(const X509& certificate) {
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  std::vector<std::string> told;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS) continue;
    if (told.size() == kNamesToldMax) {
      told.back() += " ...";
      break;
    }
    told.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                      static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(names);
  return told.empty() ? "none" : absl::StrJoin(told, ", ");
}

absl::Status Refused(const X509& certificate, absl::string_view why) {
  return absl::UnauthenticatedError(absl::StrCat(
      "the certificate of ", Text(X509_get_subject_name(&certificate)), " (DNS names: ",
      Names(certificate), "; issued by ", Text(X509_get_issuer_name(&certificate)), ") ", why));
}

std::string Why(X509_STORE_CTX* context, const std::string& ca_file) {
  const int error = X509_STORE_CTX_get_error(context);
  const X509* const at = X509_STORE_CTX_get_current_cert(context);
  const std::string whose =
      X509_STORE_CTX_get_error_depth(context) == 0 || at == nullptr
          ? ""
          : absl::StrCat("has an authority, ", Text(X509_get_subject_name(at)), ", that ");
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return absl::StrCat(whose, "has expired: it was valid until ", Text(X509_get0_notAfter(at)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return absl::StrCat(whose, "is not yet valid: it is from ", Text(X509_get0_notBefore(at)),
                          " on (is the clock right?)");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return absl::StrCat("is self-signed, by none of the authorities in ", ca_file);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return absl::StrCat("is of an unknown authority, none of those in ", ca_file);
    case X509_V_ERR_INVALID_PURPOSE:
      return absl::StrCat(whose, "is not for this purpose (extendedKeyUsage)");
    default:
      return absl::StrCat(whose, "is refused: ", X509_verify_cert_error_string(error));
  }
}

// `purpose` is one of OpenSSL's parameter sets: ssl_server, ssl_client.
absl::Status CheckChain(X509* leaf, absl::string_view chain_pem, const std::string& ca_file,
                        const char* purpose) {
  const StorePtr store(X509_STORE_new());
  if (X509_STORE_load_file(store.get(), ca_file.c_str()) != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("security.ca_file: no authority can be read from ", ca_file));
  }
  const StackPtr chain = ReadChain(chain_pem);
  const ContextPtr context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf, chain.get());
  X509_STORE_CTX_set_default(context.get(), purpose);
  X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context.get()), kSecurityLevel);
  if (X509_verify_cert(context.get()) == 1) return absl::OkStatus();
  return Refused(*leaf, Why(context.get(), ca_file));
}

bool Covers(X509* certificate, const std::string& host) {
  return X509_check_host(certificate, host.data(), host.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                         nullptr) == 1 ||
         X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
}

absl::Status Check(const PeerCertificate& peer, const std::string& ca_file, const char* purpose,
                   const std::string* host) {
  const CertificatePtr leaf = ReadOne(Reader(peer.leaf).get());
  absl::Status status = absl::UnauthenticatedError("the peer shows no certificate");
  if (leaf != nullptr) status = CheckChain(leaf.get(), peer.chain, ca_file, purpose);
  if (status.ok() && host != nullptr && !Covers(leaf.get(), *host)) {
    status = Refused(*leaf, absl::StrCat("is not for the host ", *host));
  }
  // What is left in the thread's queue would be told of the next connection.
  ERR_clear_error();
  return status;
}

}  // namespace

absl::Status CheckServerCertificate(const PeerCertificate& peer, const std::string& ca_file,
                                    absl::string_view host) {
  const std::string name(host);
  return Check(peer, ca_file, "ssl_server", &name);
}

absl::Status CheckClientCertificate(const PeerCertificate& peer, const std::string& ca_file) {
  return Check(peer, ca_file, "ssl_client", nullptr);
}

}  // namespace nightjar::rpc
