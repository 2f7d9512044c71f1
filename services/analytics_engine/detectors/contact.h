// How an attempt to reach a port ended.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_CONTACT_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_CONTACT_H_

#include "proto/telemetry/v1/event.pb.h"

namespace nightjar::analytics_engine {

enum class ContactOutcome {
  kOpen,      // the flow is still alive and nothing of weight came back yet
  kAnswered,  // there is somebody
  kFailed,    // nothing came back, or only the refusal
  kUnknown,   // the record does not say
};

// `event` has an `ip` body. Pure, thread-safe.
ContactOutcome OutcomeOf(const telemetry::v1::Event& event);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_CONTACT_H_
