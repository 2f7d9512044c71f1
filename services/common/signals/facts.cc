#include "services/common/signals/facts.h"

#include "services/common/network/cidr_set.h"
#include "services/common/network/domain.h"

namespace nightjar::signals {

using telemetry::v1::Event;

Facts::Facts(const Event& from) : event(from) {
  source = network::Address::Parse(event.source_ip());
  destination = network::Address::Parse(event.destination_ip());
  to_outside = destination.has_value() && !network::IsSpecialUse(*destination);
  switch (event.body_case()) {
    case Event::kDns:
      host = network::NormalizeDomain(event.dns().query());
      break;
    case Event::kHttp:
      url = ParseUrl(event.http().url());
      host = network::NormalizeDomain(url.host);
      break;
    case Event::kTls:
      host = network::NormalizeDomain(event.tls().server_name());
      break;
    default:
      break;
  }
  if (host.empty()) return;
  // Only a digit or a colon at the end can make an address: spares every other name the parser.
  const char last = host.back();
  if ((last >= '0' && last <= '9') || host.find(':') != std::string::npos) {
    host_address = network::Address::Parse(host);
  }
  if (!host_address) {
    top_level = host;
    top_level.remove_prefix(host.rfind('.') + 1);  // npos + 1 is 0
  }
}

}  // namespace nightjar::signals
