#include "services/es_reader/schema/kind.h"

#include <initializer_list>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace nightjar::es_reader {
namespace {

constexpr absl::string_view kFleetPrefix = "network_traffic.";

std::optional<EventKind> KindByName(absl::string_view name) {
  absl::ConsumePrefix(&name, kFleetPrefix);
  if (name == "flow") return EventKind::kFlow;
  if (name == "dns") return EventKind::kDns;
  if (name == "tls") return EventKind::kTls;
  if (name == "http") return EventKind::kHttp;
  if (name == "icmp") return EventKind::kIcmp;
  if (name == "dhcpv4") return EventKind::kLease;
  return std::nullopt;
}

bool HasAny(const SourceFields& fields, std::initializer_list<Field> wanted) {
  for (Field field : wanted) {
    if (fields.has(field)) return true;
  }
  return false;
}

}  // namespace

EventKind Classify(const SourceFields& fields) {
  for (Field field : {kDataset, kType}) {
    if (const auto kind = KindByName(fields.text(field))) return *kind;
  }
  if (fields.text(kAgentType) == "packetbeat" ||
      absl::StartsWith(fields.text(kDataset), kFleetPrefix)) {
    return EventKind::kOther;
  }
  if (fields.has(kDnsName)) return EventKind::kDns;
  if (HasAny(fields, {kUrlFull, kUrlOriginal, kUrlDomain, kUrlPath, kHttpMethod})) {
    return EventKind::kHttp;
  }
  if (HasAny(fields, {kTlsCipher, kJa3, kJa3s, kServerName, kCertificateSha1, kIssuer})) {
    return EventKind::kTls;
  }
  if (fields.has(kSourceIp) && fields.has(kDestinationIp)) return EventKind::kFlow;
  return EventKind::kOther;
}

}  // namespace nightjar::es_reader
