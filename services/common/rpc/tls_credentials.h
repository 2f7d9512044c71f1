// gRPC's credentials for mutual TLS between stages.
#ifndef SERVICES_COMMON_RPC_TLS_CREDENTIALS_H_
#define SERVICES_COMMON_RPC_TLS_CREDENTIALS_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace nightjar::rpc {

// PEM. Replaced files count from the next connection on, a second or two later.
struct TlsFiles {
  std::string authorities;  // may hold several, while one takes over from another
  std::string certificate;
  std::string key;
};

// Both ends present a certificate and check the other's, TLS 1.2 or newer. A client's refusal
// becomes the text of its calls' status; a server's is logged, LogQuota::kLinesMax times a minute.
std::shared_ptr<grpc::ServerCredentials> TlsServerCredentials(const TlsFiles& files);
std::shared_ptr<grpc::ChannelCredentials> TlsChannelCredentials(const TlsFiles& files);

// What OpenSSL and gRPC say of a failed handshake, with what it means where that can be told.
std::string ExplainHandshake(absl::string_view text);

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_TLS_CREDENTIALS_H_
