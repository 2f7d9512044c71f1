#include "services/ae_forwarder/body_result.h"

#include <map>

#include "services/common/status/check.h"

namespace nightjar::ae_forwarder {

using telemetry::v1::OUTCOME_ACCEPTED;
using telemetry::v1::OUTCOME_REJECTED;

void BodyResult::ApplyReply(absl::Span<const uint32_t> lines,
                            const analytics_api::EventsReply& reply) {
  CHECK(reply.received == lines.size());
  std::map<std::string, uint64_t> rejected = reply.rejected;
  uint64_t unexplained = reply.received - reply.accepted;
  for (const auto& [reason, count] : rejected) unexplained -= count;
  if (unexplained > 0) rejected["unexplained"] += unexplained;

  for (const auto& named : reply.rejected_lines) {
    const auto left = rejected.find(named.reason);
    if (left == rejected.end() || left->second == 0 || ended(lines[named.line])) continue;
    Set(lines[named.line], OUTCOME_REJECTED, named.reason);
    --left->second;
  }
  size_t at = lines.size();
  for (const auto& [reason, count] : rejected) {
    const uint16_t end = EndIndex(OUTCOME_REJECTED, reason);
    for (uint64_t left = count; left > 0; --left) {
      do {
        CHECK(at > 0);  // the reply's counts add up
        --at;
      } while (ended(lines[at]));
      line_ends_[lines[at]] = end;
    }
  }
  const uint16_t accepted = EndIndex(OUTCOME_ACCEPTED, "");
  for (const uint32_t line : lines) {
    if (!ended(line)) line_ends_[line] = accepted;
  }
}

void BodyResult::Set(uint32_t line, telemetry::v1::Outcome outcome, const std::string& reason) {
  line_ends_[line] = EndIndex(outcome, reason);
}

uint16_t BodyResult::EndIndex(telemetry::v1::Outcome outcome, const std::string& reason) {
  for (size_t i = 1; i < ends_.size(); ++i) {
    if (ends_[i].outcome == outcome && ends_[i].reason == reason) return static_cast<uint16_t>(i);
  }
  ends_.push_back({outcome, reason});
  return static_cast<uint16_t>(ends_.size() - 1);
}

}  // namespace nightjar::ae_forwarder
