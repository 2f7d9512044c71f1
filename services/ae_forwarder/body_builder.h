// Gathers events into bodies of one type each.
#ifndef SERVICES_AE_FORWARDER_BODY_BUILDER_H_
#define SERVICES_AE_FORWARDER_BODY_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/ae_forwarder/body.h"
#include "services/common/analytics_api/events_encoder.h"

namespace nightjar::ae_forwarder {

struct BodyLimits {
  uint32_t events_max = 5000;
  size_t bytes_max = 4 << 20;  // a single larger event still makes a body, of its own
};

// One open body per event type. Not thread-safe.
class BodyBuilder {
 public:
  BodyBuilder(analytics_api::Dialect dialect, BodyLimits limits)
      : dialect_(dialect), limits_(limits) {}

  // Adds one event that has a path in the dialect. Bodies that this fills go to `full`.
  void Add(absl::string_view type, const PendingBatchPtr& batch, const telemetry::v1::Event& event,
           const EventKey& key, absl::Duration now, std::vector<BodyPtr>* full);

  // Takes the bodies opened at or before `time` out; InfiniteFuture-like values take all.
  std::vector<BodyPtr> Take(absl::Duration opened_until);

  bool empty() const { return open_.empty(); }
  // When the oldest open body was opened. Not empty.
  absl::Duration oldest() const;

 private:
  // Cuts off the last line into a body of its own.
  static BodyPtr SplitLast(Body* body);

  const analytics_api::Dialect dialect_;
  const BodyLimits limits_;
  std::map<std::string, BodyPtr, std::less<>> open_;  // by type
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_BODY_BUILDER_H_
