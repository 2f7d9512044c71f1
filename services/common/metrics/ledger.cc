#include "services/common/metrics/ledger.h"

#include <utility>

#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "services/common/status/check.h"

namespace nightjar::metrics {
namespace {

using telemetry::v1::Event;
using telemetry::v1::Outcome;
using telemetry::v1::OutcomeCount;

prometheus::Counter& EventsCounter(Metrics& metrics, const std::string& stage,
                                   absl::string_view outcome, const std::string& reason,
                                   const std::string& type) {
  return metrics.counter(
      "nightjar_events_total", "Events taken (outcome read) and ended (every other outcome).",
      {{"stage", stage}, {"outcome", std::string(outcome)}, {"reason", reason}, {"type", type}});
}

}  // namespace

Ledger::Ledger(Metrics& metrics, std::string stage)
    : metrics_(metrics),
      stage_(std::move(stage)),
      mutex_(metrics.figures_mutex()),
      in_flight_gauge_(metrics.gauge("nightjar_inflight_events", "Events taken and not ended yet.",
                                     {{"stage", stage_}})) {}

void Ledger::Read(absl::string_view type, uint64_t count) {
  std::lock_guard<std::mutex> lock(mutex_);
  prometheus::Counter*& counter = read_counters_[std::string(type)];
  if (counter == nullptr) {
    counter = &EventsCounter(metrics_, stage_, "read", "", std::string(type));
  }
  counter->Increment(static_cast<double>(count));
  read_ += count;
  in_flight_gauge_.Set(static_cast<double>(read_ - ended_total_));
}

void Ledger::Ended(Outcome outcome, absl::string_view reason, absl::string_view type,
                   uint64_t count) {
  std::lock_guard<std::mutex> lock(mutex_);
  CHECK(count <= read_ - ended_total_);
  Cell& cell = cells_[Key(outcome, std::string(reason), std::string(type))];
  if (cell.counter == nullptr) {
    cell.counter = &EventsCounter(metrics_, stage_, OutcomeName(outcome), std::string(reason),
                                  std::string(type));
  }
  cell.counter->Increment(static_cast<double>(count));
  cell.count += count;
  ended_total_ += count;
  in_flight_gauge_.Set(static_cast<double>(read_ - ended_total_));
}

void Ledger::Ended(const OutcomeCount& count) {
  Ended(count.outcome(), count.reason(), count.type(), count.count());
}

Ledger::Books Ledger::Snapshot() const {
  std::lock_guard<std::mutex> lock(mutex_);
  Books books;
  books.read = read_;
  books.in_flight = read_ - ended_total_;
  books.ended.reserve(cells_.size());
  for (const auto& [key, cell] : cells_) {
    OutcomeCount& count = books.ended.emplace_back();
    count.set_outcome(static_cast<Outcome>(std::get<0>(key)));
    count.set_reason(std::get<1>(key));
    count.set_type(std::get<2>(key));
    count.set_count(cell.count);
  }
  return books;
}

size_t TypeIndex(const Event& event) {
  static_assert(Event::kOther - Event::kDns + 1 == kTypeNames.size());
  const int body = event.body_case();
  return body == Event::BODY_NOT_SET ? kTypeNames.size() - 1 : body - Event::kDns;
}

absl::string_view TypeName(const Event& event) { return kTypeNames[TypeIndex(event)]; }

absl::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case telemetry::v1::OUTCOME_ACCEPTED:
      return "accepted";
    case telemetry::v1::OUTCOME_FILTERED:
      return "filtered";
    case telemetry::v1::OUTCOME_REJECTED:
      return "rejected";
    case telemetry::v1::OUTCOME_QUARANTINED:
      return "quarantined";
    default:  // a newer peer's outcome
      return "unspecified";
  }
}

}  // namespace nightjar::metrics
