// How a batch ended, as the taker says and the sender hears.
#ifndef SERVICES_COMMON_RPC_BATCH_RESULT_H_
#define SERVICES_COMMON_RPC_BATCH_RESULT_H_

#include <vector>

#include "absl/status/status.h"
#include "proto/telemetry/v1/flow.pb.h"

namespace nightjar::rpc {

struct BatchResult {
  // OK: every event has ended, `counts` says how. kAborted: fenced, a newer owner exists.
  // kInvalidArgument: refused for good, with the peer's text. A sender sees nothing else:
  // everything else is retried inside.
  absl::Status status;
  std::vector<telemetry::v1::OutcomeCount> counts;
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_BATCH_RESULT_H_
