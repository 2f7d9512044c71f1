#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "services/common/network/address.h"
#include "services/common/network/cidr_set.h"
#include "services/es_reader/schema/body.h"

namespace nightjar::es_reader {
namespace {

constexpr uint32_t kWellKnownPortMax = 1023;

bool IsTransport(absl::string_view name) {
  return name == "tcp" || name == "udp" || name == "icmp" || name == "ipv6-icmp";
}

// Shippers put the transport into one of three fields; an application's name is never one.
std::string Transport(FieldReader& reader) {
  std::string transport = reader.Lower({kTransport});
  if (!transport.empty()) return transport;
  switch (reader.Number(kIanaNumber, 255)) {
    case 0:
      break;  // none (number 0 is an IPv6 option, never a flow)
    case 1:
      return "icmp";
    case 6:
      return "tcp";
    case 17:
      return "udp";
    case 58:
      return "ipv6-icmp";
    default:
      return std::string(reader.fields().text(kIanaNumber));
  }
  const std::string protocol = reader.Lower({kProtocol});
  return IsTransport(protocol) ? protocol : "";
}

// Packetbeat takes the sender of the first packet that it sees for the source. After a cut that may
// be the server's answer: from a well-known port of a machine outside to a high one.
bool LooksReversed(const telemetry::v1::Event& event) {
  if (event.source_port() == 0 || event.source_port() > kWellKnownPortMax ||
      event.destination_port() <= kWellKnownPortMax) {
    return false;
  }
  const auto source = network::Address::Parse(event.source_ip());
  return source.has_value() && !network::IsSpecialUse(*source);
}

}  // namespace

void FillFlow(FieldReader& reader, telemetry::v1::Event* event) {
  telemetry::v1::Ip* ip = event->mutable_ip();
  ip->set_transport(Transport(reader));
  if (std::string name = reader.Lower({kProtocol}); !IsTransport(name)) {
    ip->set_application(std::move(name));
  }
  if (const auto bytes = reader.Count(kDestinationBytes)) ip->set_bytes_in(*bytes);
  if (const auto bytes = reader.Count(kSourceBytes)) ip->set_bytes_out(*bytes);
  if (const auto packets = reader.Count(kDestinationPackets)) ip->set_packets_in(*packets);
  if (const auto packets = reader.Count(kSourcePackets)) ip->set_packets_out(*packets);
  if (const auto final = reader.Bool(kFlowFinal)) {
    ip->set_state(*final ? telemetry::v1::FLOW_STATE_FINAL : telemetry::v1::FLOW_STATE_INTERIM);
  }
  ip->set_start_unix_nano(reader.Time({kEventStart}));
  event->set_reversed(LooksReversed(*event));
}

}  // namespace nightjar::es_reader
