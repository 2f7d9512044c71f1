// One function for each kind of event: fills the body, and what only this kind has, from a
// document's fields.
#ifndef SERVICES_ES_READER_SCHEMA_BODY_H_
#define SERVICES_ES_READER_SCHEMA_BODY_H_

#include "proto/telemetry/v1/event.pb.h"
#include "services/es_reader/schema/field_reader.h"
#include "services/es_reader/schema/redact.h"

namespace nightjar::es_reader {

// Each sets the body first, so that the kind stands even if the reader ends with a fault. The
// addresses and ports of `event` are filled in before.
void FillDns(FieldReader& reader, telemetry::v1::Event* event);   // dns.cc
void FillFlow(FieldReader& reader, telemetry::v1::Event* event);  // flow.cc
void FillHttp(FieldReader& reader, const Redactor* redactor,
              telemetry::v1::Event* event);                        // http.cc
void FillTls(FieldReader& reader, telemetry::v1::Event* event);    // tls.cc
void FillIcmp(FieldReader& reader, telemetry::v1::Event* event);   // icmp.cc
void FillLease(FieldReader& reader, telemetry::v1::Event* event);  // dhcp.cc

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_BODY_H_
