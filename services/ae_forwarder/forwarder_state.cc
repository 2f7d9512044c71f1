#include "services/ae_forwarder/forwarder_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/status/exit_status.h"

namespace nightjar::ae_forwarder {
namespace {

absl::Status Refused(const std::string& folder, const absl::Status& status) {
  return ConfigError(absl::StrCat("state folder ", folder, " (data.dir): ", status.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ForwarderState>> ForwarderState::Open(checkpoint::FileSystem& files,
                                                                     const StateOptions& options) {
  auto state = std::make_unique<ForwarderState>();
  auto journal = EndedJournal::Open(files, options.folder, state->ended);
  if (!journal.ok()) return Refused(options.folder, journal.status());
  state->journal = *std::move(journal);
  auto quarantine = Quarantine::Open(files, options.folder, options.quarantine_bytes_max);
  if (!quarantine.ok()) return Refused(options.folder, quarantine.status());
  state->quarantine = *std::move(quarantine);
  return state;
}

}  // namespace nightjar::ae_forwarder
