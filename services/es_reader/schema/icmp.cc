#include "absl/strings/match.h"
#include "services/es_reader/schema/body.h"

namespace nightjar::es_reader {

void FillIcmp(FieldReader& reader, telemetry::v1::Event* event) {
  const SourceFields& fields = reader.fields();
  telemetry::v1::Icmp* icmp = event->mutable_icmp();
  icmp->set_version(reader.Number(kIcmpVersion, 255));
  if (icmp->version() == 0) icmp->set_version(absl::StrContains(event->source_ip(), ':') ? 6 : 4);
  if (fields.has(kIcmpRequestType)) icmp->set_request_type(reader.Number(kIcmpRequestType, 255));
  if (fields.has(kIcmpRequestCode)) icmp->set_request_code(reader.Number(kIcmpRequestCode, 255));
  if (fields.has(kIcmpResponseType)) icmp->set_response_type(reader.Number(kIcmpResponseType, 255));
  if (fields.has(kIcmpResponseCode)) icmp->set_response_code(reader.Number(kIcmpResponseCode, 255));
  if (const auto bytes = reader.Count(kDestinationBytes)) icmp->set_bytes_in(*bytes);
  if (const auto bytes = reader.Count(kSourceBytes)) icmp->set_bytes_out(*bytes);
}

}  // namespace nightjar::es_reader
