#include "services/analytics_engine/api/routes.h"

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "services/analytics_engine/store/key_store.h"

namespace nightjar::analytics_engine {
namespace {

using telemetry::v1::Event;

constexpr Route kRoutes[] = {
    {"GET", "/v1/account/status", Endpoint::kAccount, kNoScope},
    {"POST", "/v1/events/dns", Endpoint::kEvents, kIngestScope, Event::kDns},
    {"POST", "/v1/events/ip", Endpoint::kEvents, kIngestScope, Event::kIp},
    {"POST", "/v1/events/http", Endpoint::kEvents, kIngestScope, Event::kHttp},
    {"POST", "/v1/events/tls", Endpoint::kEvents, kIngestScope, Event::kTls},
    {"POST", "/v1/events/icmp", Endpoint::kEvents, kIngestScope, Event::kIcmp},
    {"POST", "/v1/events/lease", Endpoint::kEvents, kIngestScope, Event::kLease},
    {"GET", "/v1/alerts", Endpoint::kAlerts, kAlertsScope},
    {"GET", "/v1/ae/inventory/threats", Endpoint::kThreats, kAlertsScope},
    {"GET", "/v1/ae/threats", Endpoint::kThreats, kAlertsScope},
    {"GET", "/v1/ae/inventory/flags", Endpoint::kFlags, kAlertsScope},
    {"GET", "/v1/ae/flags", Endpoint::kFlags, kAlertsScope},
    // Keys are made with `nightjar keys`, there is no account, and what is local knows no Internet.
    {"POST", "/v1/account/register", Endpoint::kNotOffered, kNoScope},
    {"GET", "/v1/account/verify", Endpoint::kNotOffered, kNoScope},
    {"POST", "/v1/key/request", Endpoint::kNotOffered, kNoScope},
    {"POST", "/v1/key/reset", Endpoint::kNotOffered, kNoScope},
    {"GET", "/v1/wisdom", Endpoint::kNotOffered, kNoScope},
    {"GET", "/v1/dailyDestinations", Endpoint::kNotOffered, kNoScope},
    {"POST", "/v1/groups/raw", Endpoint::kNotOffered, kNoScope},
};

}  // namespace

const Route* FindRoute(absl::string_view method, absl::string_view path) {
  absl::ConsumeSuffix(&path, "/");
  if (absl::StartsWith(path, "/v1/account/verify/")) path = "/v1/account/verify";
  for (const Route& route : kRoutes) {
    if (method == route.method && path == route.path) return &route;
  }
  return nullptr;
}

}  // namespace nightjar::analytics_engine
