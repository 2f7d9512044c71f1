// The stages of a host: their names, who needs them, and where their programs are.
#ifndef SERVICES_CLI_STAGES_H_
#define SERVICES_CLI_STAGES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/config/config.h"
#include "services/common/rpc/security.h"

namespace nightjar::cli {

struct Stage {
  std::string name;                    // es-reader, as its program and its status call it
  std::string folder;                  // es_reader, as services.<folder> calls it
  std::vector<std::string> addresses;  // host:port of its gRPC server
};

// The stages that `config` makes use of, in the order in which they start: sinks first. They stop
// in the reverse order.
std::vector<Stage> NeededStages(const config::Config& config);

// Those, and an engine of ours that another host or container runs: one that gets its clients' keys
// from this configuration.
std::vector<Stage> DeployedStages(const config::Config& config);

// The one called `name` (or, for a slip of the hand, its folder), needed or not. kInvalidArgument,
// exit code 64, naming the known ones.
absl::StatusOr<Stage> FindStage(const config::Config& config, absl::string_view name);

// Path of the stage's program: in `libexec` when that is not empty, else in the folder of this
// program, else in ../libexec/nightjar as packages have it, else in ../<folder> as a build leaves
// it. Exit code 78 naming the places.
absl::StatusOr<std::string> FindProgram(const Stage& stage, const std::string& own_folder,
                                        const std::string& libexec);

// The folder of the running program, links resolved.
std::string OwnFolder();
// $NIGHTJAR_LIBEXEC, or empty.
std::string Libexec();

// As the clients of the stages need it.
rpc::Security SecurityOf(const config::Config& config);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_STAGES_H_
