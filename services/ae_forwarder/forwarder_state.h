// What ae-forwarder keeps on disk, opened together.
#ifndef SERVICES_AE_FORWARDER_FORWARDER_STATE_H_
#define SERVICES_AE_FORWARDER_FORWARDER_STATE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/ae_forwarder/ended_journal.h"
#include "services/ae_forwarder/ended_set.h"
#include "services/ae_forwarder/quarantine.h"
#include "services/common/checkpoint/file_system.h"

namespace nightjar::ae_forwarder {

struct StateOptions {
  std::string folder;  // created if need be
  size_t quarantine_bytes_max = 64 << 20;
};

// Owns its parts, which are thread-safe. `files` outlives it.
struct ForwarderState {
  // Exit code 78 when a file is damaged or the folder cannot be used.
  static absl::StatusOr<std::unique_ptr<ForwarderState>> Open(checkpoint::FileSystem& files,
                                                              const StateOptions& options);

  EndedSet ended;
  std::unique_ptr<EndedJournal> journal;
  std::unique_ptr<Quarantine> quarantine;
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_FORWARDER_STATE_H_
