// es-reader, scorer and ae-forwarder as real processes, between an Elasticsearch and an engine.
#ifndef TESTS_E2E_PIPELINE_H_
#define TESTS_E2E_PIPELINE_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/admin/v1/stage.pb.h"
#include "tests/e2e/process.h"

namespace nightjar::e2e {

struct PipelineOptions {
  std::string elasticsearch_url;
  std::string engine_url;
  std::string engine_key = "test-key";
  std::string folder;        // state, logs and configuration go here
  std::string binaries;      // folder that holds services/<folder>/<binary>
  std::string extra_config;  // further YAML sections
  // The whole file but for the services' addresses; nothing but folder and binaries above counts
  // then. Empty: made from the fields here.
  std::string config;
  std::string username, password;  // for Elasticsearch; empty: none
  std::string reader_section = "  start: earliest\n  poll_interval: 200ms\n";
};

enum class Stage { kReader, kScorer, kForwarder };
inline constexpr Stage kStages[] = {Stage::kReader, Stage::kScorer, Stage::kForwarder};
const char* StageName(Stage stage);

// Not thread-safe.
class Pipeline {
 public:
  explicit Pipeline(PipelineOptions options);

  // Starts what is not running. Ports are any at the first start and the same ones afterwards.
  absl::Status Start(Stage stage);
  absl::Status StartAll();
  Process& process(Stage stage) { return stages_.at(stage).process; }

  absl::StatusOr<admin::v1::StageStatus> Status(Stage stage) const;
  // SIGTERM to all, sources first; every exit code must be 0.
  absl::Status StopAll();
  // Everything the stage has logged, all lives of it.
  std::string Log(Stage stage) const;
  std::string http_address(Stage stage) const { return stages_.at(stage).http; }
  std::string grpc_address(Stage stage) const { return stages_.at(stage).grpc; }
  std::string config_path() const { return options_.folder + "/config.yml"; }

 private:
  struct Running {
    Process process;
    std::string grpc;
    std::string http;
  };
  void WriteConfig() const;
  void WriteSections(std::ostream& file) const;

  PipelineOptions options_;
  std::map<Stage, Running> stages_;
  std::map<Stage, std::string> addresses_;
};

// "read - (accepted + filtered + rejected + quarantined) - in_flight" of one status: 0 when the
// books balance.
int64_t BooksDifference(const admin::v1::StageStatus& status);

// Sum of the counts with this outcome, and with this reason when it is not empty.
uint64_t Counted(const admin::v1::StageStatus& status, telemetry::v1::Outcome outcome,
                 const std::string& reason = "");

}  // namespace nightjar::e2e

#endif  // TESTS_E2E_PIPELINE_H_
