// Whether the certificate that a TLS peer shows is trusted, and if not, in words: which and why.
#ifndef SERVICES_COMMON_RPC_PEER_CERTIFICATE_H_
#define SERVICES_COMMON_RPC_PEER_CERTIFICATE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nightjar::rpc {

// As the peer sent it, PEM. Neither is trusted.
struct PeerCertificate {
  absl::string_view leaf;
  absl::string_view chain;  // the leaf may stand in it again
};

// What OpenSSL checks in a handshake (chain, dates, purpose, strength), against the authorities in
// `ca_file` as they are now, so that a new file counts from the next connection on. A server's
// names must cover `host`, a DNS name or an address; the subject's common name is not one of its
// names. kUnauthenticated: refused; kFailedPrecondition: `ca_file` is of no use. From any thread.
absl::Status CheckServerCertificate(const PeerCertificate& peer, const std::string& ca_file,
                                    absl::string_view host);
absl::Status CheckClientCertificate(const PeerCertificate& peer, const std::string& ca_file);

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_PEER_CERTIFICATE_H_
