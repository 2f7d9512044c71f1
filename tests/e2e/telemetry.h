// Generated telemetry: documents as Packetbeat writes them, each with an id that an oracle finds
// again at the engine.
#ifndef TESTS_E2E_TELEMETRY_H_
#define TESTS_E2E_TELEMETRY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace nightjar::e2e {

extern const char kDnsTemplate[];
extern const char kFlowTemplate[];
extern const char kHttpTemplate[];
extern const char kTlsTemplate[];

enum class DocumentType { kDns, kFlow, kHttp, kTls };

// The mix of a busy office: dns 45 %, flow 40 %, http 8 %, tls 7 %.
DocumentType MixedType(uint64_t id);

struct DocumentOptions {
  absl::Time time;
  bool whole_seconds = false;          // event.ingested as Fleet writes it
  bool with_ingested = true;           // standalone Packetbeat has none
  std::optional<absl::Time> ingested;  // unset: `time`
};

// One line of JSON. The id stands as "nj<id>x" in the DNS name, flow id, URL path or certificate
// subject.
std::string MakeDocument(DocumentType type, uint64_t id, const DocumentOptions& options);

}  // namespace nightjar::e2e

#endif  // TESTS_E2E_TELEMETRY_H_
