// Makes the ended set durable: what is committed here is never posted again, even after a crash.
#ifndef SERVICES_AE_FORWARDER_ENDED_JOURNAL_H_
#define SERVICES_AE_FORWARDER_ENDED_JOURNAL_H_

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/ae_forwarder/ended_set.h"
#include "services/common/checkpoint/file_system.h"

namespace nightjar::ae_forwarder {

// Appends to `<folder>/ended.journal` (journal_format.h) and keeps `set` the same as the file says.
// Rewrites the file from the set when it has grown, and after any error, so that a full disk heals
// by itself. Thread-safe. `files` and `set` outlive it.
class EndedJournal {
 public:
  // Reads the journal into `set`, cuts off a torn last write. A folder without one is a first
  // start. Exit code 78 with the way out when the file is damaged; the file system's errors.
  static absl::StatusOr<std::unique_ptr<EndedJournal>> Open(checkpoint::FileSystem& files,
                                                            const std::string& folder,
                                                            EndedSet& set);

  // Returns once `changes` survive a power loss and are in the set. Callers that come together
  // share one fsync. After an error nothing of it is in the set; try again.
  absl::Status Commit(std::vector<EndedChange> changes);

  // Applies a removal at once and writes it along with the next Commit: losing it does no harm.
  void Forget(EndedChange change);

 private:
  // The callers whose changes share one write.
  struct Round {
    std::vector<EndedChange> changes;
    bool done = false;
    absl::Status status;
  };

  EndedJournal(checkpoint::FileSystem& files, std::string folder, EndedSet& set);
  absl::Status Write(const std::vector<EndedChange>& changes);
  absl::Status Rewrite();
  std::string Path() const { return folder_ + "/ended.journal"; }

  checkpoint::FileSystem& files_;
  const std::string folder_;
  EndedSet& set_;

  // Used by the one thread that writes.
  std::unique_ptr<checkpoint::AppendFile> file_;  // null: must be rewritten
  size_t bytes_ = 0;
  size_t bytes_max_ = 0;  // rewrite beyond this

  std::mutex mutex_;
  std::condition_variable written_;
  bool writing_ = false;
  std::shared_ptr<Round> open_round_;
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_ENDED_JOURNAL_H_
