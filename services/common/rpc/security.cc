#include "services/common/rpc/security.h"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "services/common/network/address.h"
#include "services/common/network/cidr_set.h"
#include "services/common/rpc/tls_credentials.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::rpc {
namespace {

// Names of a certificate that a message tells.
constexpr size_t kNamesToldMax = 3;

// The host of "host:port", "[v6]:port" or a bare host.
absl::string_view HostOf(absl::string_view address) {
  if (absl::ConsumePrefix(&address, "[")) return address.substr(0, address.find(']'));
  const size_t colon = address.rfind(':');
  return colon == absl::string_view::npos ? address : address.substr(0, colon);
}

bool IsLoopback(const network::Address& address) {
  static const network::CidrSet* const kLoopback = [] {
    auto* set = new network::CidrSet;
    for (const char* cidr : {"127.0.0.0/8", "::1/128"}) {
      if (!set->Add(cidr).ok()) std::abort();
    }
    return set;
  }();
  return kLoopback->Contains(address);
}

// The address in grpc's "ipv4:127.0.0.1:5000" or "ipv6:%5B::1%5D:5000".
std::optional<network::Address> PeerAddress(absl::string_view peer) {
  if (!absl::ConsumePrefix(&peer, "ipv4:") && !absl::ConsumePrefix(&peer, "ipv6:")) {
    return std::nullopt;
  }
  const std::string plain = absl::StrReplaceAll(peer, {{"%5B", "["}, {"%5D", "]"}});
  return network::Address::Parse(HostOf(plain));
}

absl::Status CheckReadable(const std::string& file, absl::string_view key) {
  if (file.empty()) {
    return ConfigError(absl::StrCat("security.", key, ": missing; mutual TLS wants ca_file, ",
                                    "certificate_file and key_file"));
  }
  if (access(file.c_str(), R_OK) != 0) {
    return ConfigError(absl::StrCat("security.", key, ": cannot read ", file));
  }
  return absl::OkStatus();
}

absl::StatusOr<network::CidrSet> ParseNetworks(const std::vector<std::string>& cidrs) {
  network::CidrSet set;
  for (const std::string& cidr : cidrs) {
    if (absl::Status added = set.Add(cidr); !added.ok()) {
      return ConfigError(absl::StrCat("security.plaintext_networks: ", added.message()));
    }
  }
  return set;
}

const char* RoleName(Role role) {
  switch (role) {
    case Role::kFlow:
      return "flow";
    case Role::kView:
      return "view";
    case Role::kTap:
      return "tap";
    case Role::kOperate:
      return "operate";
  }
  return "unknown";
}

bool ContainsAny(const std::vector<std::string>& allowed, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
  });
}

// A higher admin role includes the lower ones; telemetry is apart.
bool HasRole(const SecurityOptions& options, const std::vector<std::string>& names, Role role) {
  if (role == Role::kFlow) return ContainsAny(options.flow_peers, names);
  if (ContainsAny(options.operate_peers, names)) return true;
  if (role == Role::kOperate) return false;
  if (ContainsAny(options.tap_peers, names)) return true;
  return role == Role::kView && ContainsAny(options.view_peers, names);
}

std::vector<std::string> CertificateNames(const grpc::AuthContext& auth) {
  std::vector<std::string> names;
  for (const grpc::string_ref& name : auth.FindPropertyValues(GRPC_X509_SAN_PROPERTY_NAME)) {
    names.emplace_back(name.data(), name.size());
  }
  return names;
}

absl::Status Denied(absl::string_view who, absl::string_view how, Role role) {
  return absl::PermissionDeniedError(
      absl::StrCat("peer ", who, how, " does not have the role ", RoleName(role)));
}

}  // namespace

std::string PeerName(const grpc::AuthContext& auth, absl::string_view peer) {
  std::vector<std::string> names = CertificateNames(auth);
  if (names.empty()) return std::string(peer);
  if (names.size() > kNamesToldMax) {
    names.resize(kNamesToldMax);
    names.back() += " ...";
  }
  return absl::StrCat(peer, " (certificate names: ", absl::StrJoin(names, ", "), ")");
}

absl::Status Security::Validate(absl::string_view listen) const {
  RETURN_IF_ERROR(ParseNetworks(options_.plaintext_networks).status());
  if (tls()) {
    RETURN_IF_ERROR(CheckReadable(options_.ca_file, "ca_file"));
    RETURN_IF_ERROR(CheckReadable(options_.certificate_file, "certificate_file"));
    return CheckReadable(options_.key_file, "key_file");
  }
  if (!options_.certificate_file.empty() || !options_.key_file.empty()) {
    return ConfigError("security.ca_file: missing; a certificate alone does not turn TLS on");
  }
  const absl::string_view host = HostOf(listen);
  const std::optional<network::Address> address = network::Address::Parse(host);
  const bool loopback = host == "localhost" || (address.has_value() && IsLoopback(*address));
  if (loopback || !options_.plaintext_networks.empty()) return absl::OkStatus();
  return ConfigError(absl::StrCat(
      "--listen ", listen, ": off loopback only with mutual TLS (security.ca_file, ",
      "certificate_file, key_file) or with security.plaintext_networks naming the peers"));
}

std::vector<std::string> Security::plaintext_networks() const {
  return tls() ? std::vector<std::string>() : options_.plaintext_networks;
}

std::shared_ptr<grpc::ServerCredentials> Security::server_credentials() const {
  if (!tls()) return grpc::InsecureServerCredentials();
  return TlsServerCredentials({options_.ca_file, options_.certificate_file, options_.key_file});
}

std::shared_ptr<grpc::ChannelCredentials> Security::channel_credentials() const {
  if (!tls()) return grpc::InsecureChannelCredentials();
  return TlsChannelCredentials({options_.ca_file, options_.certificate_file, options_.key_file});
}

absl::Status Security::Authorize(const grpc::AuthContext& auth, absl::string_view peer,
                                 Role role) const {
  if (tls()) {
    if (auth.IsPeerAuthenticated() && HasRole(options_, CertificateNames(auth), role)) {
      return absl::OkStatus();
    }
    return Denied(PeerName(auth, peer), "", role);
  }
  const std::optional<network::Address> address = PeerAddress(peer);
  if (!address.has_value()) return Denied(peer, " (no network address)", role);
  if (IsLoopback(*address)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const network::CidrSet networks, ParseNetworks(options_.plaintext_networks));
  const bool by_network = role == Role::kFlow || role == Role::kView;
  if (by_network && networks.Contains(*address)) return absl::OkStatus();
  return Denied(peer, " (plain text)", role);
}

}  // namespace nightjar::rpc
