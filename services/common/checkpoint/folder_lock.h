// One owner for a state folder, and a number that rises with every new owner.
#ifndef SERVICES_COMMON_CHECKPOINT_FOLDER_LOCK_H_
#define SERVICES_COMMON_CHECKPOINT_FOLDER_LOCK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace nightjar::checkpoint {

// Holds an exclusive flock on `<folder>/lock` for its lifetime. The file holds the fencing token of
// the latest owner.
class FolderLock {
 public:
  // A predecessor that was killed, or whose memory the kernel still takes apart, is waited for so
  // long; a second owner by mistake is told within 2 s.
  static constexpr absl::Duration kOwnerWaitMax = absl::Milliseconds(1500);

  // Takes the lock, raises the token by one and fsyncs it before returning. Creates the folder
  // (0700) if need be. Errors carry exit code 78 and say the fix: another process holds the lock
  // (its pid is named), the folder cannot be written, or root would leave files of its own in the
  // folder of another user.
  static absl::StatusOr<std::unique_ptr<FolderLock>> Acquire(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  // Higher than any earlier owner's. Starts at 1.
  uint64_t fencing_token() const { return token_; }

 private:
  explicit FolderLock(int fd) : fd_(fd) {}

  const int fd_;
  uint64_t token_ = 0;
};

}  // namespace nightjar::checkpoint

#endif  // SERVICES_COMMON_CHECKPOINT_FOLDER_LOCK_H_
