#include "services/common/checkpoint/fake_file_system.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/status/status_macros.h"

namespace nightjar::checkpoint {
namespace {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

class FakeFileSystem::OpenFile final : public AppendFile {
 public:
  OpenFile(FakeFileSystem& files, std::shared_ptr<File> file, std::string path)
      : files_(files), file_(std::move(file)), path_(std::move(path)) {}

  absl::Status Append(absl::string_view data) override {
    std::lock_guard lock(files_.mutex_);
    const absl::Status status = files_.Begin("write", path_);
    const absl::string_view written = status.ok() ? data : data.substr(0, data.size() / 2);
    file_->content.append(written.data(), written.size());
    return status;
  }

  absl::Status Sync() override {
    std::lock_guard lock(files_.mutex_);
    const absl::Status status = files_.Begin("sync", path_);
    if (!status.ok()) {
      file_->sync_failed = true;
    } else if (!file_->sync_failed) {
      file_->durable = file_->content;
      file_->truncated = false;
    }
    return status;
  }

 private:
  FakeFileSystem& files_;
  const std::shared_ptr<File> file_;
  const std::string path_;
};

void FakeFileSystem::FailOperation(int nth, int error) {
  std::lock_guard lock(mutex_);
  fail_at_ = operations_ + nth;
  fail_error_ = error;
}

void FakeFileSystem::PowerOffAfter(int operations) {
  std::lock_guard lock(mutex_);
  power_off_at_ = operations_ + operations;
}

void FakeFileSystem::LosePower(uint64_t seed) {
  std::lock_guard lock(mutex_);
  std::mt19937_64 random(seed);
  for (const NameChange& change : pending_) {
    if (random() % 2 == 0) Apply(change, &durable_names_);
  }
  pending_.clear();
  for (auto& [path, file] : durable_names_) {
    const std::string content = Surviving(*file, random);
    file = std::make_shared<File>(File{content, content});
  }
  names_ = durable_names_;
  power_off_at_ = -1;
  fail_at_ = -1;
}

std::string FakeFileSystem::Surviving(const File& file, std::mt19937_64& random) {
  if (file.truncated && random() % 2 == 0) return file.durable;  // not even the truncation
  const size_t safe = file.truncated ? 0 : file.durable.size();
  const size_t kept = safe + random() % (file.content.size() - safe + 1);
  std::string content = file.content.substr(0, kept);
  // The size may reach the disk before the data: the torn end reads as NULs.
  const size_t torn = random() % 2 == 0 ? random() % (kept - safe + 1) : 0;
  std::fill(content.end() - torn, content.end(), '\0');
  return content;
}

int FakeFileSystem::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

absl::Status FakeFileSystem::Begin(absl::string_view operation, absl::string_view path) {
  ++operations_;
  if (power_off_at_ >= 0 && operations_ > power_off_at_) {
    return absl::UnavailableError(absl::StrCat(operation, " ", path, ": the power is off"));
  }
  if (operations_ == fail_at_) return FileError(fail_error_, operation, path);
  return absl::OkStatus();
}

void FakeFileSystem::Apply(const NameChange& change, Names* names) {
  for (const auto& [path, file] : change) {
    if (file == nullptr) {
      names->erase(path);
    } else {
      (*names)[path] = file;
    }
  }
}

void FakeFileSystem::Change(NameChange change) {
  Apply(change, &names_);
  pending_.push_back(std::move(change));
}

absl::Status FakeFileSystem::MakeFolder(const std::string& path) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(Begin("make folder", path));
  folders_.insert(path);
  return absl::OkStatus();
}

absl::StatusOr<std::string> FakeFileSystem::Read(const std::string& path) {
  std::lock_guard lock(mutex_);
  const auto it = names_.find(path);
  if (it == names_.end()) return FileError(ENOENT, "open", path);
  return it->second->content;
}

absl::StatusOr<std::unique_ptr<AppendFile>> FakeFileSystem::OpenAppend(const std::string& path,
                                                                       bool truncate) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(Begin("open", path));
  if (folders_.count(FolderOf(path)) == 0) return FileError(ENOENT, "open", path);
  if (names_.count(path) == 0) Change({{path, std::make_shared<File>()}});
  std::shared_ptr<File> file = names_[path];
  if (truncate) {
    file->content.clear();
    file->truncated = true;
    file->sync_failed = false;
  }
  return std::make_unique<OpenFile>(*this, std::move(file), path);
}

absl::Status FakeFileSystem::Rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(Begin("rename", from));
  const auto it = names_.find(from);
  if (it == names_.end()) return FileError(ENOENT, "rename", from);
  Change({{from, nullptr}, {to, it->second}});
  return absl::OkStatus();
}

absl::Status FakeFileSystem::Remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(Begin("remove", path));
  if (names_.count(path) == 0) return FileError(ENOENT, "remove", path);
  Change({{path, nullptr}});
  return absl::OkStatus();
}

absl::Status FakeFileSystem::SyncFolder(const std::string& path) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(Begin("sync", path));
  std::vector<NameChange> elsewhere;
  for (NameChange& change : pending_) {
    if (FolderOf(change.back().first) == path) {
      Apply(change, &durable_names_);
    } else {
      elsewhere.push_back(std::move(change));
    }
  }
  pending_ = std::move(elsewhere);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FakeFileSystem::List(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (folders_.count(path) == 0) return FileError(ENOENT, "open folder", path);
  std::vector<std::string> names;
  for (const auto& [name, file] : names_) {
    if (FolderOf(name) == path) names.push_back(name.substr(path.size() + 1));
  }
  return names;
}

}  // namespace nightjar::checkpoint
