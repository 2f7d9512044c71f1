// One body of events on its way to the engine, and the batches that wait for it.
#ifndef SERVICES_AE_FORWARDER_BODY_H_
#define SERVICES_AE_FORWARDER_BODY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/ae_forwarder/ended_set.h"
#include "services/common/rpc/flow_server.h"

namespace nightjar::ae_forwarder {

// A batch whose events have not all ended. Its events are encoded already; this is what the ack
// needs. `remaining` and `counts` are guarded by the forwarder's mutex, the rest never changes.
struct PendingBatch {
  std::string epoch;
  std::string index;
  uint64_t fencing_token = 0;
  rpc::FlowHandler::Done done;
  uint32_t remaining = 0;  // events not ended
  std::vector<telemetry::v1::OutcomeCount> counts;
};
using PendingBatchPtr = std::shared_ptr<PendingBatch>;

// Events of one type as newline-ended JSON, in the order of `lines`.
struct Body {
  struct Line {
    uint32_t end = 0;    // offset in `bytes` behind its line end
    uint32_t batch = 0;  // index in `batches`
    EventKey key;
  };

  absl::string_view text(size_t line) const {
    const size_t begin = line == 0 ? 0 : lines[line - 1].end;
    return absl::string_view(bytes).substr(begin, lines[line].end - begin);
  }

  std::string type;  // as in /v1/events/<type>
  std::string bytes;
  std::vector<Line> lines;
  std::vector<PendingBatchPtr> batches;
  absl::Duration opened;  // monotonic time of the first line
};
using BodyPtr = std::unique_ptr<Body>;

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_BODY_H_
