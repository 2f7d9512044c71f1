// From the fields of one document of Packetbeat (or of an ECS shipper like it) to an event.
#ifndef SERVICES_ES_READER_SCHEMA_PACKETBEAT_H_
#define SERVICES_ES_READER_SCHEMA_PACKETBEAT_H_

#include "proto/telemetry/v1/event.pb.h"
#include "services/es_reader/schema/kind.h"
#include "services/es_reader/schema/redact.h"
#include "services/es_reader/schema/source_fields.h"

namespace nightjar::es_reader {

// Makes `event` one of this kind, empty: for counts by type.
void SetKind(EventKind kind, telemetry::v1::Event* event);

// Fills everything but numbers, ids and site. On a fault `event` has its kind, and the rest is not
// to be used. `redactor` may be null: URLs stay as they are.
Fault FillEvent(EventKind kind, const SourceFields& fields, const Redactor* redactor,
                telemetry::v1::Event* event);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_PACKETBEAT_H_
