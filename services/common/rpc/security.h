// Who may talk to whom: TLS for gRPC, and which peer may call what.
#ifndef SERVICES_COMMON_RPC_SECURITY_H_
#define SERVICES_COMMON_RPC_SECURITY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace grpc {
class AuthContext;
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace nightjar::rpc {

// Who calls, for a log: the address, and the first names of the certificate if there is one. `peer`
// is grpc's ServerContext::peer().
std::string PeerName(const grpc::AuthContext& auth, absl::string_view peer);

// From the `security` section of config.yml. All empty: plain text, which Validate allows on
// loopback only.
struct SecurityOptions {
  std::string ca_file;  // PEM; with it both sides present certificates (mutual TLS)
  std::string certificate_file;
  std::string key_file;
  std::vector<std::string> flow_peers;          // DNS SANs that may send telemetry here
  std::vector<std::string> view_peers;          // SANs with the role view
  std::vector<std::string> tap_peers;           // view and tap
  std::vector<std::string> operate_peers;       // view, tap and operate
  std::vector<std::string> plaintext_networks;  // CIDRs whose peers may use plain text off loopback
};

enum class Role { kFlow, kView, kTap, kOperate };

// Immutable, thread-safe. Certificates are re-read from their files when these change.
class Security {
 public:
  Security() = default;  // plain text, loopback
  explicit Security(SecurityOptions options) : options_(std::move(options)) {}

  // kInvalidArgument (exit code 78) when `listen` is off loopback and neither mutual TLS nor
  // plaintext_networks is configured, or a file is missing.
  absl::Status Validate(absl::string_view listen) const;

  bool tls() const { return !options_.ca_file.empty(); }
  // Who may use plain text off loopback; nobody with mutual TLS.
  std::vector<std::string> plaintext_networks() const;
  std::shared_ptr<grpc::ServerCredentials> server_credentials() const;
  std::shared_ptr<grpc::ChannelCredentials> channel_credentials() const;

  // kPermissionDenied, naming the peer and the missing role, when this peer may not do `role`.
  // `peer` is grpc's ServerContext::peer(). Loopback has every role in plain text; with TLS the
  // certificate's SAN decides.
  absl::Status Authorize(const grpc::AuthContext& auth, absl::string_view peer, Role role) const;

 private:
  SecurityOptions options_;
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_SECURITY_H_
