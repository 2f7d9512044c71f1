#include "services/es_reader/schema/body.h"

namespace nightjar::es_reader {

void FillLease(FieldReader& reader, telemetry::v1::Event* event) {
  telemetry::v1::Lease* lease = event->mutable_lease();
  lease->set_type(reader.Lower({kLeaseType}));
  lease->set_assigned_ip(reader.Ip(kLeaseIp));
  lease->set_client_mac(reader.Mac(kLeaseMac));
  lease->set_host_name(reader.Text({kLeaseHost}));
  lease->set_lease_seconds(reader.Number(kLeaseSeconds, UINT32_MAX));
}

}  // namespace nightjar::es_reader
