// Recorded telemetry as the events that the pipeline makes of it.
#ifndef TESTS_DETECTIONS_RECORDING_H_
#define TESTS_DETECTIONS_RECORDING_H_

#include <deque>
#include <string>

#include "proto/telemetry/v1/event.pb.h"

namespace nightjar::tests {

// The index that all recorded documents are said to come from.
inline constexpr char kRecordingIndex[] = "packetbeat-recorded";

// Decodes tests/data/captures/<name>.ndjson.gz as es-reader does and sorts it by time. CHECKs that
// every document in it can be read. Flows without an address are left out, as the scorer does.
std::deque<telemetry::v1::Event> Recording(const std::string& name);

// The same of any file of documents, one a line, compressed or not; documents that cannot be read
// are left out.
std::deque<telemetry::v1::Event> EventsOfFile(const std::string& path, size_t* unreadable);

}  // namespace nightjar::tests

#endif  // TESTS_DETECTIONS_RECORDING_H_
