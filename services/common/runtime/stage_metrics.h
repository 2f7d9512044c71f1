// What every stage tells Prometheus about itself: state, conditions, clock, room on disk,
// certificate.
#ifndef SERVICES_COMMON_RUNTIME_STAGE_METRICS_H_
#define SERVICES_COMMON_RUNTIME_STAGE_METRICS_H_

#include <mutex>
#include <set>
#include <string>

#include "services/common/metrics/metrics.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::runtime {

// Figures are taken when Prometheus asks: no thread, no interval. Thread-safe. What is passed in
// outlives it. What cannot be measured has no series (or keeps its last one): never a zero.
class StageMetrics {
 public:
  StageMetrics(std::string stage, metrics::Metrics& metrics, const StageMonitor& monitor);

  // Room in the file system of `folder`, from now on.
  void WatchFolder(const std::string& folder);
  // End of validity of the certificates in `file` (PEM), from now on.
  void WatchCertificate(const std::string& file);
  // Whether the way to `to` (stages, elasticsearch, engine) is plain text off the host, or
  // TLS that trusts anybody.
  void SetInsecure(const std::string& to, bool insecure);

  // Brings everything up to date; before each rendering.
  void Refresh();

 private:
  void Set(const std::string& name, const std::string& help, double value,
           metrics::Labels labels = {});
  void RefreshState();
  void RefreshProcess();
  void RefreshFolder();
  void RefreshCertificate();

  const std::string stage_;
  metrics::Metrics& metrics_;
  const StageMonitor& monitor_;
  std::mutex mutex_;
  std::string folder_;
  std::string certificate_;
  std::string certificate_problem_;   // the last one said
  std::set<std::string> conditions_;  // kinds seen so far
  double cpu_seconds_ = 0;            // counted so far
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_STAGE_METRICS_H_
