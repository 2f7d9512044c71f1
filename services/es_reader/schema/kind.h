// What kind of event a document is.
#ifndef SERVICES_ES_READER_SCHEMA_KIND_H_
#define SERVICES_ES_READER_SCHEMA_KIND_H_

#include "services/es_reader/schema/source_fields.h"

namespace nightjar::es_reader {

enum class EventKind { kDns, kFlow, kHttp, kTls, kIcmp, kLease, kOther };

// By event.dataset or type where they name a kind (with or without Fleet's "network_traffic.").
// Other transactions of Packetbeat (mysql, redis ...) are kOther: their packets are reported as
// flows too. Documents of other shippers are judged by what they contain.
EventKind Classify(const SourceFields& fields);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_KIND_H_
