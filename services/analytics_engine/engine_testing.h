// An engine in the test's own process, with a database of its own.
#ifndef SERVICES_ANALYTICS_ENGINE_ENGINE_TESTING_H_
#define SERVICES_ANALYTICS_ENGINE_ENGINE_TESTING_H_

#include <memory>
#include <string>
#include <vector>

#include "services/analytics_engine/engine.h"

namespace nightjar::analytics_engine {

// Serves the API on a loopback port until its end. A list c2 holds evil.example and *.evil.example.
class TestEngine {
 public:
  // With `certificate` and `key` (PEM files) over TLS.
  explicit TestEngine(const std::string& certificate = "", const std::string& key = "");

  std::string url() const { return "http://" + address_; }
  const std::string& address() const { return address_; }
  Engine& engine() { return *engine_; }
  metrics::Ledger& ledger() { return ledger_; }
  runtime::StageMonitor& monitor() { return monitor_; }

  // The text of a new key.
  std::string CreateKey(uint32_t scopes);

 private:
  metrics::Metrics metrics_;
  metrics::Ledger ledger_;
  runtime::StageMonitor monitor_;
  std::unique_ptr<Engine> engine_;
  std::string address_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_ENGINE_TESTING_H_
