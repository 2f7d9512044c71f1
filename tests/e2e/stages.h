// Any set of stages as real processes, each with a configuration of its own, as every container
// has: what tests of TLS and of several replicas start.
#ifndef TESTS_E2E_STAGES_H_
#define TESTS_E2E_STAGES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/admin/v1/stage.pb.h"
#include "services/common/rpc/security.h"
#include "tests/e2e/process.h"

namespace nightjar::e2e {

struct StagesOptions {
  std::string folder;    // state, logs and configurations go here
  std::string binaries;  // folder that holds services/<folder>/<binary>
  std::string config;    // of every stage, but for `services` and `security`
  // What certificates.sh made; empty: plain text.
  std::string certificates;
  // More of `security`, by name of the process: "flow_peers: [es-reader]".
  std::map<std::string, std::string> peers;
};

// A process is called as its stage, or with a number behind it: scorer, scorer-2. Not thread-safe.
class Stages {
 public:
  explicit Stages(StagesOptions options) : options_(std::move(options)) {}

  // Listens on every address with certificates, else on loopback; on any port at first and on the
  // same one afterwards. Finds those that were started before it.
  absl::Status Start(const std::string& name);
  Process& process(const std::string& name) { return stages_.at(name); }
  // SIGTERM, in this order; every exit code must be 0.
  absl::Status Stop(const std::vector<std::string>& names);

  // What clients call.
  std::string address(const std::string& name) const { return addresses_.at(name); }
  // As the owner of this certificate ("operator"), which is not looked at in plain text.
  rpc::Security Identity(const std::string& owner) const;
  absl::StatusOr<admin::v1::StageStatus> Status(const std::string& name,
                                                const std::string& as = "operator") const;
  // A configuration for the nightjar command, with this certificate.
  std::string WriteConfig(const std::string& name) const;
  std::string Log(const std::string& name) const;

 private:
  StagesOptions options_;
  std::map<std::string, Process> stages_;
  std::map<std::string, std::string> addresses_;  // by name of the process, once known
};

// "scorer" of "scorer-2".
std::string StageOf(const std::string& name);

}  // namespace nightjar::e2e

#endif  // TESTS_E2E_STAGES_H_
