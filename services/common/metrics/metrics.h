// Prometheus metrics of one process.
#ifndef SERVICES_COMMON_METRICS_METRICS_H_
#define SERVICES_COMMON_METRICS_METRICS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace nightjar::metrics {

using Labels = std::map<std::string, std::string>;

// Creates metrics and renders them. Thread-safe; the returned references live as long as this
// object. Asking again for the same name and labels gives the same metric. Names and labels are
// fixed by the service's README.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  prometheus::Counter& counter(const std::string& name, const std::string& help,
                               const Labels& labels = {});
  prometheus::Gauge& gauge(const std::string& name, const std::string& help,
                           const Labels& labels = {});
  prometheus::Histogram& histogram(const std::string& name, const std::string& help,
                                   const std::vector<double>& bounds, const Labels& labels = {});
  // Forgets a gauge, e.g. of an index that was deleted. `gauge` must not be used afterwards.
  void Remove(const std::string& name, prometheus::Gauge& gauge);

  // Held while figures are taken for Render: who changes metrics that must add up holds it
  // meanwhile, for a short time. Not to be held in a call of this object's functions but those
  // above.
  std::mutex& figures_mutex() const { return figures_mutex_; }

  // Text exposition format 0.0.4.
  std::string Render() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
  mutable std::mutex figures_mutex_;
};

}  // namespace nightjar::metrics

#endif  // SERVICES_COMMON_METRICS_METRICS_H_
