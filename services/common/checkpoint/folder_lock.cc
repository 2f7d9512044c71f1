#include "services/common/checkpoint/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "services/common/checkpoint/file_system.h"
#include "services/common/clock/clock.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::checkpoint {
namespace {

// One line "<token> <pid>", padded so that it is always overwritten whole and within one sector.
constexpr size_t kLineBytes = 32;
constexpr absl::Duration kLockTryInterval = absl::Milliseconds(50);

struct Owner {
  uint64_t token = 0;
  std::string pid = "unknown";
};

absl::Status CannotWrite(const std::string& folder, const absl::Status& why) {
  return ConfigError(
      absl::StrCat("state folder ", folder, " cannot be written (", why.message(),
                   "): give it to the user that runs this service, or set data.dir"));
}

// What the file says; token 0 for a new file. Empty when it is damaged.
absl::StatusOr<Owner> ReadOwner(int fd, const std::string& path) {
  char buffer[2 * kLineBytes];
  const ssize_t got = pread(fd, buffer, sizeof(buffer), 0);
  if (got < 0) return FileError(errno, "read", path);
  const absl::string_view text(buffer, got);
  Owner owner;
  if (text.empty()) return owner;
  const std::vector<absl::string_view> words =
      absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  if (words.empty() || words.size() > 2 || !absl::SimpleAtoi(words[0], &owner.token)) {
    return absl::DataLossError("not a number");
  }
  if (words.size() == 2) owner.pid = std::string(words[1]);
  return owner;
}

absl::Status WriteOwner(int fd, const std::string& path, uint64_t token) {
  std::string line = absl::StrFormat("%u %d", token, getpid());
  line.resize(kLineBytes - 1, ' ');
  line += '\n';
  const ssize_t written = pwrite(fd, line.data(), line.size(), 0);
  if (written != static_cast<ssize_t>(line.size())) {
    return FileError(written < 0 ? errno : ENOSPC, "write", path);
  }
  if (fsync(fd) != 0) return FileError(errno, "sync", path);
  return absl::OkStatus();
}

// A service that root started once by hand must not be unable to write its files afterwards.
absl::Status CheckOwner(const std::string& folder) {
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0)
    return CannotWrite(folder, FileError(errno, "stat", folder));
  if (geteuid() != 0 || info.st_uid == 0) return absl::OkStatus();
  return ConfigError(absl::StrCat("state folder ", folder, " belongs to user ", info.st_uid,
                                  ", and files of root in it would lock that user out: run this ",
                                  "as that user, or set data.dir"));
}

// False, with errno: EWOULDBLOCK after kOwnerWaitMax, others at once.
bool TakeLock(int fd) {
  const absl::Duration give_up = SystemClock().Monotonic() + FolderLock::kOwnerWaitMax;
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock<std::mutex> lock(mutex);
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || SystemClock().Monotonic() >= give_up) return false;
    SystemClock().WaitFor(lock, never, kLockTryInterval, [] { return false; });
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FolderLock>> FolderLock::Acquire(const std::string& folder) {
  const std::string path = folder + "/lock";
  absl::Status status = LocalFileSystem().MakeFolder(folder);
  if (!status.ok()) return CannotWrite(folder, status);
  RETURN_IF_ERROR(CheckOwner(folder));
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return CannotWrite(folder, FileError(errno, "open", path));
  std::unique_ptr<FolderLock> lock(new FolderLock(fd));  // closes it

  const bool locked = TakeLock(fd);
  if (!locked && errno != EWOULDBLOCK) return CannotWrite(folder, FileError(errno, "lock", path));
  const absl::StatusOr<Owner> owner = ReadOwner(fd, path);
  if (!locked) {
    return ConfigError(absl::StrCat("state folder ", folder, " is in use by process ",
                                    owner.ok() ? owner->pid : "unknown",
                                    ": stop it, or give this one another data.dir"));
  }
  if (absl::IsDataLoss(owner.status())) {
    return ConfigError(absl::StrCat(path, " is damaged. It holds a number that must only rise: ",
                                    "write a higher one than ever used, as in `date +%s > ", path,
                                    "`"));
  }
  if (!owner.ok()) return CannotWrite(folder, owner.status());

  lock->token_ = owner->token + 1;
  status = WriteOwner(fd, path, lock->token_);
  // A new file's name must survive too, or the number would start again.
  if (status.ok()) status = LocalFileSystem().SyncFolder(folder);
  if (!status.ok()) return CannotWrite(folder, status);
  return lock;
}

FolderLock::~FolderLock() { close(fd_); }

}  // namespace nightjar::checkpoint
