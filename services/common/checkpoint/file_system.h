// The few file operations that durable state needs, so that tests can lose power in the middle of
// them.
#ifndef SERVICES_COMMON_CHECKPOINT_FILE_SYSTEM_H_
#define SERVICES_COMMON_CHECKPOINT_FILE_SYSTEM_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nightjar::checkpoint {

// An open file that only grows. Not thread-safe.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  virtual absl::Status Append(absl::string_view data) = 0;
  // Returns once everything appended so far survives a power loss.
  virtual absl::Status Sync() = 0;
};

// Thread-safe, as long as two threads do not write one file. Errors: kNotFound, kPermissionDenied,
// kResourceExhausted (disk full), kUnavailable (I/O), each naming the path.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Creates the folder and its parents, mode 0700, and makes them durable. OK when it is there.
  virtual absl::Status MakeFolder(const std::string& path) = 0;
  virtual absl::StatusOr<std::string> Read(const std::string& path) = 0;
  // New files get mode 0600. `truncate` empties an existing one.
  virtual absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path,
                                                                 bool truncate) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Makes renames and removals in the folder durable.
  virtual absl::Status SyncFolder(const std::string& path) = 0;
  // Names (not paths) in a folder, sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
};

// The status that an errno of `operation` on `path` means: one mapping for every implementation.
absl::Status FileError(int error, absl::string_view operation, absl::string_view path);

// The machine's. Never destroyed.
FileSystem& LocalFileSystem();

}  // namespace nightjar::checkpoint

#endif  // SERVICES_COMMON_CHECKPOINT_FILE_SYSTEM_H_
