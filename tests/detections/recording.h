// Recorded telemetry (tests/data/captures) as the events that the pipeline makes of it.
#ifndef TESTS_DETECTIONS_RECORDING_H_
#define TESTS_DETECTIONS_RECORDING_H_

#include <deque>
#include <string>

#include "proto/telemetry/v1/event.pb.h"

namespace nightjar::tests {

// The index that all recorded documents are said to come from.
inline constexpr char kRecordingIndex[] = "packetbeat-recorded";

// Decodes "<name>.ndjson.gz" as es-reader does and sorts by time. CHECKs that the file is there and
// every document in it can be read. Flows without an address are left out, as the scorer does.
std::deque<telemetry::v1::Event> Recording(const std::string& name);

}  // namespace nightjar::tests

#endif  // TESTS_DETECTIONS_RECORDING_H_
