#include "services/analytics_engine/detectors/contact.h"

#include <cstdint>

namespace nightjar::analytics_engine {
namespace {

// A refusal is a reset or two. Anything that was accepted and closed again is more.
constexpr int64_t kRefusalPacketsMax = 2;
constexpr int64_t kRefusalBytesMax = 199;

}  // namespace

ContactOutcome OutcomeOf(const telemetry::v1::Event& event) {
  const telemetry::v1::Ip& ip = event.ip();
  // A flow without any counter says nothing. One that counts the way out but not the way back had
  // no way back.
  const bool counted =
      ip.has_packets_in() || ip.has_packets_out() || ip.has_bytes_in() || ip.has_bytes_out();
  if (!counted) return ContactOutcome::kUnknown;
  const bool silent = ip.packets_in() == 0 && ip.bytes_in() == 0;
  const bool refused = ip.has_packets_in() && ip.packets_in() <= kRefusalPacketsMax &&
                       ip.bytes_in() <= kRefusalBytesMax;
  if (!silent && !refused) {
    // Without packets a small answer may be a refusal as well as a service that said little.
    return ip.has_packets_in() || ip.bytes_in() > kRefusalBytesMax ? ContactOutcome::kAnswered
                                                                   : ContactOutcome::kUnknown;
  }
  return ip.state() == telemetry::v1::FLOW_STATE_INTERIM ? ContactOutcome::kOpen
                                                         : ContactOutcome::kFailed;
}

}  // namespace nightjar::analytics_engine
