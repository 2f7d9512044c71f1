#include "services/common/metrics/metrics.h"

#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace nightjar::metrics {

// The registry finds a family by its name and a metric by its labels, under its own locks.
struct Metrics::Families {
  prometheus::Registry registry;
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

prometheus::Counter& Metrics::counter(const std::string& name, const std::string& help,
                                      const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(families_->registry).Add(labels);
}

prometheus::Gauge& Metrics::gauge(const std::string& name, const std::string& help,
                                  const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(families_->registry).Add(labels);
}

prometheus::Histogram& Metrics::histogram(const std::string& name, const std::string& help,
                                          const std::vector<double>& bounds, const Labels& labels) {
  return prometheus::BuildHistogram()
      .Name(name)
      .Help(help)
      .Register(families_->registry)
      .Add(labels, bounds);
}

void Metrics::Remove(const std::string& name, prometheus::Gauge& gauge) {
  prometheus::BuildGauge().Name(name).Register(families_->registry).Remove(&gauge);
}

std::string Metrics::Render() const {
  std::vector<prometheus::MetricFamily> figures;
  {
    std::lock_guard<std::mutex> lock(figures_mutex_);
    figures = families_->registry.Collect();
  }
  return prometheus::TextSerializer().Serialize(figures);
}

}  // namespace nightjar::metrics
