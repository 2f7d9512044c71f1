#include "services/common/rpc/tls_credentials.h"

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/log_quota.h"
#include "services/common/rpc/peer_certificate.h"
#include "spdlog/spdlog.h"

namespace nightjar::rpc {
namespace {

using grpc::experimental::CertificateVerifier;
using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::TlsCustomVerificationCheckRequest;

// How often the certificate files are looked at.
constexpr unsigned kRefreshSeconds = 1;

absl::string_view View(const grpc::string_ref& text) { return {text.data(), text.size()}; }

PeerCertificate Peer(const TlsCustomVerificationCheckRequest& request) {
  return {View(request.peer_cert()), View(request.peer_cert_full_chain())};
}

// gRPC's own check of a chain says no more than "handshake failed", at both ends. So gRPC is told
// to leave it to these, which make the same check with OpenSSL and say what is wrong. They run
// before a connection carries anything.
class Verifier : public ExternalCertificateVerifier {
 public:
  explicit Verifier(std::string ca_file) : ca_file_(std::move(ca_file)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* status) override {
    const absl::Status checked = Check(*request);
    // Whatever went wrong, the peer is not who it should be.
    *status = checked.ok() ? grpc::Status::OK
                           : grpc::Status(grpc::UNAUTHENTICATED, std::string(checked.message()));
    return true;  // done, there is no callback to come
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 protected:
  virtual absl::Status Check(const TlsCustomVerificationCheckRequest& request) = 0;
  const std::string ca_file_;
};

class ServerVerifier final : public Verifier {  // at the client
 public:
  using Verifier::Verifier;

 private:
  absl::Status Check(const TlsCustomVerificationCheckRequest& request) override {
    return CheckServerCertificate(Peer(request), ca_file_, View(request.target_name()));
  }
};

class ClientVerifier final : public Verifier {  // at the server
 public:
  using Verifier::Verifier;

 private:
  absl::Status Check(const TlsCustomVerificationCheckRequest& request) override {
    const absl::Status checked = CheckClientCertificate(Peer(request), ca_file_);
    if (checked.ok()) return checked;
    if (const auto others = quota_.Take()) {
      spdlog::warn("refused a connection: {}{}", std::string(checked.message()), *others);
    }
    return checked;
  }

  LogQuota quota_{SystemClock()};
};

template <typename Options>
void SetFiles(const TlsFiles& files, Options* options) {
  options->set_certificate_provider(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          files.key, files.certificate, files.authorities, kRefreshSeconds));
  options->watch_root_certs();
  options->watch_identity_key_cert_pairs();
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsServerCredentials(const TlsFiles& files) {
  grpc::experimental::TlsServerCredentialsOptions options(nullptr);
  SetFiles(files, &options);
  options.set_cert_request_type(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);  // ClientVerifier does
  options.set_certificate_verifier(
      ExternalCertificateVerifier::Create<ClientVerifier>(files.authorities));
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> TlsChannelCredentials(const TlsFiles& files) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  SetFiles(files, &options);
  options.set_verify_server_certs(false);  // ServerVerifier does
  options.set_certificate_verifier(
      ExternalCertificateVerifier::Create<ServerVerifier>(files.authorities));
  return grpc::experimental::TlsCredentials(options);
}

std::string ExplainHandshake(absl::string_view text) {
  // By OpenSSL 3's reasons.
  static constexpr std::pair<absl::string_view, absl::string_view> kMeanings[] = {
      {"wrong version number", "the peer does not speak TLS"},
      {"http request", "the peer does not speak TLS"},
      {"unsupported protocol", "the peer speaks no TLS newer than 1.1"},
      {"protocol version", "the peer speaks no TLS newer than 1.1"},
      {"peer did not return a certificate", "the peer shows no certificate"},
      {"certificate required", "the peer wants a certificate"},
      {"Socket closed", "if the peer refused our certificate, its log says why"},
  };
  for (const auto& [reason, meaning] : kMeanings) {
    if (absl::StrContains(text, reason)) return absl::StrCat(text, " (", meaning, ")");
  }
  return std::string(text);
}

}  // namespace nightjar::rpc
