// The whole engine: its state on disk, its detectors, its API.
#ifndef SERVICES_ANALYTICS_ENGINE_ENGINE_H_
#define SERVICES_ANALYTICS_ENGINE_ENGINE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/analytics_engine/config.h"
#include "services/analytics_engine/store/key_store.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/ledger.h"
#include "services/common/metrics/metrics.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::analytics_engine {

// What a stage has anyway; outlives the engine.
struct StageParts {
  metrics::Metrics& metrics;
  metrics::Ledger& ledger;
  runtime::StageMonitor& monitor;
  Clock& clock;
};

// Not thread-safe, for main's thread; keys() may be used from any.
class Engine {
 public:
  // Takes the state folder, opens the database, takes the keys by configuration, makes the local
  // key, reads the lists. Errors carry
  // exit code 78.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(const EngineConfig& config,
                                                      const StageParts& parts);
  ~Engine();

  // Serves the API; gives its address.
  absl::StatusOr<std::string> StartApi();
  // Ends the API; bodies under way are finished. Idempotent, works unstarted.
  void Shutdown();

  // Reads the certificate of the API again, if it has one.
  absl::Status ReloadCertificate();

  // Makes these the keys by configuration.
  absl::Status SetApiKeys(const std::vector<ConfiguredKey>& keys);

  // Reads the lists again. When that fails the ones before stay, which is a condition.
  void ReloadLists();

  KeyStore& keys();

 private:
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_ENGINE_H_
