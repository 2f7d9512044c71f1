// The paths of API v1, and what each needs.
#ifndef SERVICES_ANALYTICS_ENGINE_API_ROUTES_H_
#define SERVICES_ANALYTICS_ENGINE_API_ROUTES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/event.pb.h"

namespace nightjar::analytics_engine {

enum class Endpoint { kAccount, kEvents, kAlerts, kThreats, kFlags, kNotOffered };

struct Route {
  const char* method;
  const char* path;
  Endpoint endpoint;
  uint32_t scope;                              // KeyScopes
  telemetry::v1::Event::BodyCase events = {};  // of kEvents
};

// Null: API v1 has no such path. Paths are compared exactly, but for one final slash.
const Route* FindRoute(absl::string_view method, absl::string_view path);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_ROUTES_H_
