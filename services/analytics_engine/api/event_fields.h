// The field names of API v1's events, and where each goes.
#ifndef SERVICES_ANALYTICS_ENGINE_API_EVENT_FIELDS_H_
#define SERVICES_ANALYTICS_ENGINE_API_EVENT_FIELDS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/event.pb.h"
#include "simdjson.h"

namespace nightjar::analytics_engine {

struct FieldTarget {
  telemetry::v1::Event& event;
  std::string& index;
};

// Null when the value was taken, else the reason why not (see EventDecoder::Decode).
using FieldSetter = const char* (*)(simdjson::dom::element value, FieldTarget target);
using FieldTable = absl::flat_hash_map<absl::string_view, FieldSetter>;

// The table of one event type, kDns to kLease. Never changes while the process lives.
const FieldTable& FieldsOf(telemetry::v1::Event::BodyCase type);

// Every field of API v1, whatever its event type: also those that no type of ours keeps.
const FieldTable& AllFields();

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_API_EVENT_FIELDS_H_
