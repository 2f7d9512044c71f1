// How each event of a body ended.
#ifndef SERVICES_AE_FORWARDER_BODY_RESULT_H_
#define SERVICES_AE_FORWARDER_BODY_RESULT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/common/analytics_api/events_reply.h"

namespace nightjar::ae_forwarder {

// Every line begins as not ended and ends once. Not thread-safe.
class BodyResult {
 public:
  struct End {
    telemetry::v1::Outcome outcome = telemetry::v1::OUTCOME_UNSPECIFIED;  // not ended
    std::string reason;
  };

  explicit BodyResult(size_t lines) : ends_(1), line_ends_(lines, 0) {}

  bool ended(size_t line) const { return line_ends_[line] != 0; }
  const End& end(size_t line) const { return ends_[line_ends_[line]]; }
  size_t lines() const { return line_ends_.size(); }

  // The engine answered `reply` for a post of `lines` in this order. Its totals are exact; which
  // events they concern is taken from rejected_lines where the two agree, else the last lines stand
  // for the rejected ones. What it neither accepted nor rejected ends as rejected(unexplained).
  void ApplyReply(absl::Span<const uint32_t> lines, const analytics_api::EventsReply& reply);

  void Set(uint32_t line, telemetry::v1::Outcome outcome, const std::string& reason);

 private:
  uint16_t EndIndex(telemetry::v1::Outcome outcome, const std::string& reason);

  std::vector<End> ends_;            // distinct ones; [0]: not ended
  std::vector<uint16_t> line_ends_;  // index in ends_, per line
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_BODY_RESULT_H_
