// What one document said, field by field, before anybody judges it.
#ifndef SERVICES_ES_READER_SCHEMA_SOURCE_FIELDS_H_
#define SERVICES_ES_READER_SCHEMA_SOURCE_FIELDS_H_

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace nightjar::es_reader {

// A text of more bytes makes its document field_too_long, so that one document never fills a batch.
inline constexpr size_t kFieldBytesMax = 32 << 10;
// All answers of one DNS document together (a DNS message has 64 KiB; escaping may double that).
inline constexpr size_t kAnswersBytesMax = 128 << 10;
// Answers kept of one DNS document; further ones are left out.
inline constexpr size_t kAnswersMax = 32;

// The fields that events are made of; field_table.cc says at which paths they stand.
enum Field : uint8_t {
  kTimestamp,
  kEventStart,
  kEventEnd,
  kEventDuration,
  kDataset,
  kType,
  kStatus,
  kErrorMessage,
  kAgentType,
  kAgentId,
  kHostName,
  kObserverName,
  kSourceIp,
  kSourcePort,
  kSourceMac,
  kSourceBytes,
  kSourcePackets,
  kSourceDomain,
  kSourceUser,
  kDestinationIp,
  kDestinationPort,
  kDestinationBytes,
  kDestinationPackets,
  kDestinationDomain,
  kTransport,
  kIanaNumber,
  kProtocol,
  kCommunityId,
  kFlowId,
  kFlowFinal,
  kDnsName,
  kDnsType,
  kDnsResponseCode,
  kDnsAnswers,
  kUrlFull,
  kUrlOriginal,
  kUrlScheme,
  kUrlDomain,
  kUrlPort,
  kUrlPath,
  kUrlQuery,
  kHttpMethod,
  kHttpStatus,
  kHttpReferrer,
  kHttpRequestBytes,
  kHttpResponseBytes,
  kContentType,
  kMimeType,
  kUserAgent,
  kTlsVersion,
  kTlsCipher,
  kTlsResumed,
  kJa3,
  kJa3Old,
  kJa3s,
  kServerName,
  kCertificateSha1,
  kCertificateSha1Old,
  kIssuer,
  kIssuerX509,
  kIssuerOld,
  kSubject,
  kSubjectX509,
  kSubjectOld,
  kNotBefore,
  kNotBeforeX509,
  kNotBeforeOld,
  kNotAfter,
  kNotAfterX509,
  kNotAfterOld,
  kIcmpVersion,
  kIcmpRequestType,
  kIcmpRequestCode,
  kIcmpResponseType,
  kIcmpResponseCode,
  kLeaseType,
  kLeaseIp,
  kLeaseMac,
  kLeaseHost,
  kLeaseSeconds,
  kFieldCount,
};

// The parts of a document that a fault can be in. A fault counts only for events that read that
// part.
enum Section : uint8_t {
  kNoSection,  // nothing that an event depends on
  kKind,       // what kind of document this is
  kTimes,
  kSource,
  kDestination,
  kNetwork,
  kFlow,
  kDns,
  kHttp,
  kTls,
  kIcmp,
  kLease,
  kSectionCount,
};

// Why a document cannot become an event.
struct Fault {
  absl::string_view reason;  // snake_case, static; empty: no fault
  std::string detail;        // which field, and what it held

  bool ok() const { return reason.empty(); }
};

struct AnswerFields {
  absl::string_view name, type, data, ttl;
};

// Views into the page or the parser: valid until the next document is read. Reused: Clear() keeps
// buffers.
class SourceFields {
 public:
  bool has(Field field) const { return present_[field]; }
  // Text of a scalar, unescaped; the raw JSON of kErrorMessage. Empty when absent.
  absl::string_view text(Field field) const {
    return present_[field] ? texts_[field] : absl::string_view();
  }
  void Set(Field field, absl::string_view text) {
    texts_[field] = text;
    present_[field] = true;
  }

  // Keeps the first fault of each section.
  void AddFault(Section section, absl::string_view reason, std::string detail) {
    if (faults_[section].ok()) faults_[section] = {reason, std::move(detail)};
    faulty_[section] = true;
  }
  bool has_fault(Section section) const { return faulty_[section]; }
  const Fault& fault(Section section) const { return faults_[section]; }

  void Clear() {
    present_.reset();
    answers.clear();
    answers_bytes = 0;
    std::fill(paths.begin(), paths.end(), Path());
    if (faulty_.none()) return;
    for (Fault& fault : faults_) fault = Fault();
    faulty_.reset();
  }

  std::vector<AnswerFields> answers;  // at most kAnswersMax
  size_t answers_bytes = 0;
  // The user's own paths, numbered by FieldTable::AddPath, which the owner makes room for.
  struct Path {
    bool seen = false;       // has a value
    absl::string_view text;  // empty for an object
  };
  std::vector<Path> paths;

 private:
  std::bitset<kFieldCount> present_;
  std::bitset<kSectionCount> faulty_;
  std::array<absl::string_view, kFieldCount> texts_;
  std::array<Fault, kSectionCount> faults_;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_SOURCE_FIELDS_H_
