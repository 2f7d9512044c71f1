// What the rules and the scope ask about an event, worked out once.
#ifndef SERVICES_COMMON_SIGNALS_FACTS_H_
#define SERVICES_COMMON_SIGNALS_FACTS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/event.pb.h"
#include "services/common/network/address.h"
#include "services/common/signals/url.h"

namespace nightjar::signals {

// Refers to `event`, which outlives it and does not change meanwhile. Not thread-safe, made per
// event.
struct Facts {
  explicit Facts(const telemetry::v1::Event& event);
  Facts(const Facts&) = delete;  // the views point into the object
  Facts& operator=(const Facts&) = delete;

  const telemetry::v1::Event& event;
  // Unset: absent or not an address.
  std::optional<network::Address> source;
  std::optional<network::Address> destination;
  // The destination is a public address.
  bool to_outside = false;
  // The name that is asked for (dns), the URL's host (http) or the server name (tls), in normal
  // form. Empty: none.
  std::string host;
  // Set when `host` is an address.
  std::optional<network::Address> host_address;
  // Last label of a host that is a name; empty otherwise.
  absl::string_view top_level;
  // Of http events.
  Url url;
};

}  // namespace nightjar::signals

#endif  // SERVICES_COMMON_SIGNALS_FACTS_H_
