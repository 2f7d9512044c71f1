// A file system in memory that fails and loses power when a test says so.
#ifndef SERVICES_COMMON_CHECKPOINT_FAKE_FILE_SYSTEM_H_
#define SERVICES_COMMON_CHECKPOINT_FAKE_FILE_SYSTEM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/common/checkpoint/file_system.h"

namespace nightjar::checkpoint {

// As unkind as a real disk may be: what was not synced may survive or not, name by name and byte by
// byte, and a sync after a failed sync says OK without writing anything. Thread-safe. Files that
// are open must not outlive it.
//
// An "operation" is one call that changes something: all but Read and List.
class FakeFileSystem final : public FileSystem {
 public:
  // The nth operation from now (1 = the next) fails with `error` (ENOSPC, EIO ...) and does
  // nothing, but an Append, which writes half of its data.
  void FailOperation(int nth, int error);

  // After `operations` further ones everything fails, until LosePower. An Append that comes then
  // still writes half of its data.
  void PowerOffAfter(int operations);

  // Forgets what was not synced, by chance and `seed`, and works again.
  void LosePower(uint64_t seed);

  // How many operations there have been.
  int operations() const;

  absl::Status MakeFolder(const std::string& path) override;
  absl::StatusOr<std::string> Read(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path,
                                                         bool truncate) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncFolder(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;

 private:
  class OpenFile;
  struct File {
    std::string content;
    std::string durable;
    bool truncated = false;    // since the last sync
    bool sync_failed = false;  // since the last truncation
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;  // path -> file
  // One change of names that happens whole or not at all; null: the name goes.
  using NameChange = std::vector<std::pair<std::string, std::shared_ptr<File>>>;

  // Counts an operation; its error if it is to fail. The lock is held.
  absl::Status Begin(absl::string_view operation, absl::string_view path);
  void Change(NameChange change);
  static void Apply(const NameChange& change, Names* names);
  static std::string Surviving(const File& file, std::mt19937_64& random);

  mutable std::mutex mutex_;
  std::set<std::string> folders_;
  Names names_;          // as a process sees them
  Names durable_names_;  // as on disk
  std::vector<NameChange> pending_;
  int operations_ = 0;
  int fail_at_ = -1;  // operation number
  int fail_error_ = 0;
  int power_off_at_ = -1;  // operation number; -1: the power stays on
};

}  // namespace nightjar::checkpoint

#endif  // SERVICES_COMMON_CHECKPOINT_FAKE_FILE_SYSTEM_H_
