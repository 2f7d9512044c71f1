// What a detector found out about one source, with the evidence for it.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_FINDING_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_FINDING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nightjar::analytics_engine {

inline constexpr size_t kSamplesMax = 5;  // records kept as evidence of one finding

// Leads back to one raw record. Fields that the client did not send stay empty.
struct Sample {
  std::string index;
  std::string document_id;
  std::string sensor_id;
  std::string site;

  friend bool operator==(const Sample& a, const Sample& b) {
    return a.index == b.index && a.document_id == b.document_id && a.sensor_id == b.sensor_id &&
           a.site == b.site;
  }
};

struct Evidence {
  std::string measure;          // what was measured and seen, in words with the unit
  int64_t value = 0;            // measured
  int64_t threshold = 0;        // value from which on it is a finding
  std::vector<Sample> samples;  // the records behind it, oldest first; at most kSamplesMax
};

// A value, free to copy and keep.
struct Finding {
  std::string threat;     // id of a row in threats.h
  int severity = 0;       // 1 informational to 5 critical; may differ from the threat's usual one
  std::string detection;  // which detector: dns_tunnel, port_scan, list or signal
  std::string key;        // what it is about: domain, address or network, or list name
  std::vector<std::string> flags;   // names of rows in flags.h
  std::vector<std::string> labels;  // "flag:Name", e.g. "c2:TrickBot"
  std::string domain;               // registrable domain it is about; empty: none
  // How often it was found since the last finding handed out about the same, with this time.
  uint64_t count = 1;
  Evidence evidence;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_FINDING_H_
