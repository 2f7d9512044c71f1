#include "services/es_reader/sensor_activity.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "services/common/runtime/printable.h"

namespace nightjar::es_reader {
namespace {

constexpr char kLastSeen[] = "nightjar_reader_sensor_last_seen_timestamp_seconds";

}  // namespace

SensorActivity::SensorActivity(metrics::Metrics& metrics, Clock& clock)
    : metrics_(metrics),
      clock_(clock),
      untracked_(metrics.counter("nightjar_reader_sensor_untracked_events_total",
                                 "Events of sensors beyond those that have a time of their own.")) {
}

void SensorActivity::Observe(const telemetry::v1::Batch& batch) {
  absl::flat_hash_map<absl::string_view, int> events;
  for (const telemetry::v1::Event& event : batch.events()) {
    if (!event.sensor_id().empty()) ++events[event.sensor_id()];
  }
  const absl::Time now = clock_.Now();
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [name, count] : events) {
    Sensor* const sensor = FindOrMake(runtime::Printable(name, kNameBytesMax), now);
    if (sensor == nullptr) {
      untracked_.Increment(count);
      continue;
    }
    sensor->last = now;
    sensor->gauge->Set(absl::ToDoubleSeconds(now - absl::UnixEpoch()));
  }
}

// Null: no room.
SensorActivity::Sensor* SensorActivity::FindOrMake(const std::string& name, absl::Time now) {
  if (const auto found = sensors_.find(name); found != sensors_.end()) return &found->second;
  if (sensors_.size() >= kSensorsMax) ForgetSilent(now);
  if (sensors_.size() >= kSensorsMax) return nullptr;
  Sensor& sensor = sensors_[name];
  sensor.gauge =
      &metrics_.gauge(kLastSeen, "When an event of this sensor was last read.", {{"sensor", name}});
  return &sensor;
}

void SensorActivity::ForgetSilent(absl::Time now) {
  for (auto sensor = sensors_.begin(); sensor != sensors_.end();) {
    if (now - sensor->second.last < kForgetAfter) {
      ++sensor;
      continue;
    }
    metrics_.Remove(kLastSeen, *sensor->second.gauge);
    sensor = sensors_.erase(sensor);
  }
}

}  // namespace nightjar::es_reader
