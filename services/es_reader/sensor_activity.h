// Which sensors are heard, and when each was last: how a sensor that died is noticed.
#ifndef SERVICES_ES_READER_SENSOR_ACTIVITY_H_
#define SERVICES_ES_READER_SENSOR_ACTIVITY_H_

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "absl/time/time.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/metrics.h"

namespace prometheus {
class Counter;
class Gauge;
}  // namespace prometheus

namespace nightjar::es_reader {

// One gauge a sensor, at most kSensorsMax of them: names come from outside. A sensor silent for
// kForgetAfter makes room for others; events of those that find none are counted. Thread-safe.
// What is passed in outlives it.
class SensorActivity {
 public:
  static constexpr size_t kSensorsMax = 256;
  static constexpr size_t kNameBytesMax = 64;
  static constexpr absl::Duration kForgetAfter = absl::Hours(7 * 24);

  SensorActivity(metrics::Metrics& metrics, Clock& clock);

  void Observe(const telemetry::v1::Batch& batch);

 private:
  struct Sensor {
    absl::Time last;
    prometheus::Gauge* gauge = nullptr;
  };
  Sensor* FindOrMake(const std::string& name, absl::Time now);
  void ForgetSilent(absl::Time now);

  metrics::Metrics& metrics_;
  Clock& clock_;
  prometheus::Counter& untracked_;
  std::mutex mutex_;
  std::map<std::string, Sensor> sensors_;  // by printable name
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SENSOR_ACTIVITY_H_
