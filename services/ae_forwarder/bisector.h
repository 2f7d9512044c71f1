// Finds the events for which the engine refuses a whole body.
#ifndef SERVICES_AE_FORWARDER_BISECTOR_H_
#define SERVICES_AE_FORWARDER_BISECTOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace nightjar::ae_forwarder {

// Counts single events refused in a row per event type, over all posters: an engine that refuses
// every event has a fault of its own, and quarantining everything would be a silent loss.
// Thread-safe.
class RefusalGuard {
 public:
  // This many single events of a type refused, and none accepted between: blame the engine.
  static constexpr int kRefusedInARowMax = 16;

  void Refused(const std::string& type) { Count(type, false); }
  void Accepted(const std::string& type) { Count(type, true); }
  bool BlamesEngine(const std::string& type) const;

 private:
  void Count(const std::string& type, bool accepted);

  mutable std::mutex mutex_;
  std::map<std::string, int> in_a_row_;
};

struct RefusedLine {
  uint32_t line = 0;
  absl::Status status;  // what the engine said
};

// Posts lines of the body. OK: they have ended. kInvalidArgument: refused, not ended. Anything else
// ends the bisection and is returned.
using PostLines = std::function<absl::Status(absl::Span<const uint32_t> lines)>;

// Given `lines` that were refused together (`why` says how), posts halves of halves until every
// good one has ended, and puts the others in `refused`: 2 log2(n) posts for one bad event in n.
// kFailedPrecondition, with the engine's words, when `guard` blames the engine and nothing of this
// body was accepted. After an error `refused` is empty.
absl::Status Bisect(const std::string& type, std::vector<uint32_t> lines, const absl::Status& why,
                    RefusalGuard& guard, const PostLines& post, std::vector<RefusedLine>* refused);

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_BISECTOR_H_
