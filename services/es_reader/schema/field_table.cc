#include "services/es_reader/schema/field_table.h"

#include "absl/strings/str_split.h"

namespace nightjar::es_reader {
namespace {

struct Row {
  absl::string_view path;
  Field field;
  Shape shape;
  Section section;
};

// Fields of Packetbeat 7.0 to 8.x and of ECS. Names ending in Old are those of 7.0 to 7.5.
constexpr Row kRows[] = {
    {"event.dataset", kDataset, Shape::kText, kKind},
    {"@timestamp", kTimestamp, Shape::kScalar, kTimes},
    {"event.start", kEventStart, Shape::kScalar, kTimes},
    {"event.end", kEventEnd, Shape::kScalar, kTimes},
    {"event.duration", kEventDuration, Shape::kScalar, kTimes},
    {"type", kType, Shape::kText, kKind},
    {"status", kStatus, Shape::kScalar, kNoSection},
    {"error.message", kErrorMessage, Shape::kRaw, kNoSection},
    {"agent.type", kAgentType, Shape::kText, kNoSection},
    {"agent.id", kAgentId, Shape::kText, kNoSection},
    {"host.name", kHostName, Shape::kText, kNoSection},
    {"observer.name", kObserverName, Shape::kText, kNoSection},
    {"source.ip", kSourceIp, Shape::kLast, kSource},
    {"source.port", kSourcePort, Shape::kScalar, kSource},
    {"source.mac", kSourceMac, Shape::kLast, kSource},
    {"source.bytes", kSourceBytes, Shape::kScalar, kSource},
    {"source.packets", kSourcePackets, Shape::kScalar, kSource},
    {"source.domain", kSourceDomain, Shape::kText, kSource},
    {"source.user.name", kSourceUser, Shape::kText, kSource},
    {"destination.ip", kDestinationIp, Shape::kLast, kDestination},
    {"destination.port", kDestinationPort, Shape::kScalar, kDestination},
    {"destination.bytes", kDestinationBytes, Shape::kScalar, kDestination},
    {"destination.packets", kDestinationPackets, Shape::kScalar, kDestination},
    {"destination.domain", kDestinationDomain, Shape::kText, kDestination},
    {"network.transport", kTransport, Shape::kScalar, kNetwork},
    {"network.iana_number", kIanaNumber, Shape::kScalar, kNetwork},
    {"network.protocol", kProtocol, Shape::kText, kNetwork},
    {"network.community_id", kCommunityId, Shape::kText, kNetwork},
    {"flow.id", kFlowId, Shape::kText, kFlow},
    {"flow.final", kFlowFinal, Shape::kScalar, kFlow},
    {"dns.question.name", kDnsName, Shape::kText, kDns},
    {"dns.question.type", kDnsType, Shape::kScalar, kDns},
    {"dns.response_code", kDnsResponseCode, Shape::kScalar, kDns},
    {"dns.answers", kDnsAnswers, Shape::kAnswers, kDns},
    {"url.full", kUrlFull, Shape::kText, kHttp},
    {"url.original", kUrlOriginal, Shape::kText, kHttp},
    {"url.scheme", kUrlScheme, Shape::kText, kHttp},
    {"url.domain", kUrlDomain, Shape::kText, kHttp},
    {"url.port", kUrlPort, Shape::kScalar, kHttp},
    {"url.path", kUrlPath, Shape::kText, kHttp},
    {"url.query", kUrlQuery, Shape::kText, kHttp},
    {"http.request.method", kHttpMethod, Shape::kText, kHttp},
    {"http.request.referrer", kHttpReferrer, Shape::kText, kHttp},
    {"http.request.bytes", kHttpRequestBytes, Shape::kScalar, kHttp},
    {"http.response.status_code", kHttpStatus, Shape::kScalar, kHttp},
    {"http.response.bytes", kHttpResponseBytes, Shape::kScalar, kHttp},
    {"http.response.mime_type", kMimeType, Shape::kFirst, kHttp},
    {"http.response.headers.content-type", kContentType, Shape::kFirst, kHttp},
    {"user_agent.original", kUserAgent, Shape::kText, kHttp},
    {"tls.version", kTlsVersion, Shape::kScalar, kTls},
    {"tls.cipher", kTlsCipher, Shape::kText, kTls},
    {"tls.resumed", kTlsResumed, Shape::kScalar, kTls},
    {"tls.client.ja3", kJa3, Shape::kText, kTls},
    {"tls.client.server_name", kServerName, Shape::kText, kTls},
    {"tls.server.ja3s", kJa3s, Shape::kText, kTls},
    {"tls.server.hash.sha1", kCertificateSha1, Shape::kFirst, kTls},
    {"tls.server.issuer", kIssuer, Shape::kText, kTls},
    {"tls.server.subject", kSubject, Shape::kText, kTls},
    {"tls.server.not_before", kNotBefore, Shape::kScalar, kTls},
    {"tls.server.not_after", kNotAfter, Shape::kScalar, kTls},
    {"tls.server.x509.issuer.distinguished_name", kIssuerX509, Shape::kFirst, kTls},
    {"tls.server.x509.subject.distinguished_name", kSubjectX509, Shape::kFirst, kTls},
    {"tls.server.x509.not_before", kNotBeforeX509, Shape::kScalar, kTls},
    {"tls.server.x509.not_after", kNotAfterX509, Shape::kScalar, kTls},
    {"tls.fingerprints.ja3.hash", kJa3Old, Shape::kText, kTls},
    {"tls.server_certificate.fingerprint.sha1", kCertificateSha1Old, Shape::kText, kTls},
    {"tls.server_certificate.issuer.common_name", kIssuerOld, Shape::kFirst, kTls},
    {"tls.server_certificate.subject.common_name", kSubjectOld, Shape::kFirst, kTls},
    {"tls.server_certificate.not_before", kNotBeforeOld, Shape::kScalar, kTls},
    {"tls.server_certificate.not_after", kNotAfterOld, Shape::kScalar, kTls},
    {"icmp.version", kIcmpVersion, Shape::kScalar, kIcmp},
    {"icmp.request.type", kIcmpRequestType, Shape::kScalar, kIcmp},
    {"icmp.request.code", kIcmpRequestCode, Shape::kScalar, kIcmp},
    {"icmp.response.type", kIcmpResponseType, Shape::kScalar, kIcmp},
    {"icmp.response.code", kIcmpResponseCode, Shape::kScalar, kIcmp},
    {"dhcpv4.option.message_type", kLeaseType, Shape::kScalar, kLease},
    {"dhcpv4.assigned_ip", kLeaseIp, Shape::kText, kLease},
    {"dhcpv4.client_mac", kLeaseMac, Shape::kText, kLease},
    {"dhcpv4.option.hostname", kLeaseHost, Shape::kText, kLease},
    {"dhcpv4.option.ip_address_lease_time_sec", kLeaseSeconds, Shape::kScalar, kLease},
};
static_assert(sizeof(kRows) / sizeof(kRows[0]) == kFieldCount, "every field has one row");

}  // namespace

FieldTable::FieldTable() {
  nodes_.emplace_back();
  for (const Row& row : kRows) {
    FieldNode* node = Insert(row.path, row.section);
    node->field = row.field;
    node->shape = row.shape;
    node->section = row.section;
  }
}

int FieldTable::AddPath(absl::string_view dotted) {
  FieldNode* node = Insert(dotted, kNoSection);
  if (node->path < 0) node->path = paths_++;
  return node->path;
}

FieldNode* FieldTable::Insert(absl::string_view dotted, Section section) {
  FieldNode* node = &nodes_.front();
  for (absl::string_view name : absl::StrSplit(dotted, '.', absl::SkipEmpty())) {
    FieldNode* child = const_cast<FieldNode*>(node->Child(name));
    if (child == nullptr) {
      child = &nodes_.emplace_back();
      child->name = std::string(name);
      child->section = section;
      FieldNode*& slot = node->children_[FieldNode::Slot(name)];
      child->next_ = slot;
      slot = child;
      node->has_children = true;
    }
    node = child;
  }
  return node;
}

absl::string_view FieldPath(Field field) {
  for (const Row& row : kRows) {
    if (row.field == field) return row.path;
  }
  return "?";
}

}  // namespace nightjar::es_reader
