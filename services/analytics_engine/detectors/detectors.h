// All detections of the engine behind one call: an event goes in, findings worth an alert come out.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_DETECTORS_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_DETECTORS_H_

#include <memory>
#include <string>
#include <vector>

#include "proto/telemetry/v1/event.pb.h"
#include "services/analytics_engine/detectors/finding.h"
#include "services/common/metrics/metrics.h"
#include "services/common/signals/lists.h"

namespace nightjar::analytics_engine {

struct DetectorOptions {
  std::shared_ptr<const signals::ListSet> lists;  // scoring.lists; null: none
  std::vector<std::string> bad_tlds;              // scoring.bad_tlds; empty: the built-in ones
};

// Deterministic: the same events in the same order give the same findings, however fast they come,
// because time is the events' own. Memory is bounded by the limits named in the detectors' headers.
// One caller at a time. `metrics` outlives it.
class Detectors {
 public:
  Detectors(const DetectorOptions& options, metrics::Metrics& metrics);
  ~Detectors();

  // Appends the findings that `event` brings about, usually none. `index` is the index of the
  // event's document, empty when unknown. Never fails, whatever the event holds.
  void Evaluate(const telemetry::v1::Event& event, const std::string& index,
                std::vector<Finding>* findings);

  // Takes other lists from now on; what the detectors remember stays.
  void SetLists(std::shared_ptr<const signals::ListSet> lists);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_DETECTORS_H_
