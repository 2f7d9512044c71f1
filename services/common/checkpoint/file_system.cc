#include "services/common/checkpoint/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "services/common/status/status_macros.h"

namespace nightjar::checkpoint {
namespace {

constexpr size_t kReadBytesMax = 256 << 20;  // far more than any state of ours

absl::Status Failed(absl::string_view operation, absl::string_view path) {
  return FileError(errno, operation, path);
}

int OpenRetrying(const char* path, int flags) {
  int fd;
  do {
    fd = open(path, flags | O_CLOEXEC, 0600);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

// What a failed fsync did not write is lost: whoever calls this writes the whole file again.
absl::Status SyncDescriptor(int fd, absl::string_view path) {
  int result;
  do {
    result = fsync(fd);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? absl::OkStatus() : Failed("sync", path);
}

class LocalAppendFile final : public AppendFile {
 public:
  LocalAppendFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~LocalAppendFile() override { close(fd_); }
  LocalAppendFile(const LocalAppendFile&) = delete;
  LocalAppendFile& operator=(const LocalAppendFile&) = delete;

  absl::Status Append(absl::string_view data) override {
    while (!data.empty()) {
      const ssize_t written = write(fd_, data.data(), data.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Failed("write", path_);
      data.remove_prefix(written);
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override { return SyncDescriptor(fd_, path_); }

 private:
  const int fd_;
  const std::string path_;
};

class Local final : public FileSystem {
 public:
  absl::Status MakeFolder(const std::string& path) override {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const std::string part = path.substr(0, slash);
      if (mkdir(part.c_str(), 0700) == 0) {
        // Or a power loss would take the folder, and with it every state synced inside.
        RETURN_IF_ERROR(SyncFolder(part + "/.."));
      } else if (errno != EEXIST) {
        // Some existing parents answer EROFS or EACCES to mkdir; only the missing ones matter.
        const int error = errno;
        struct stat info;
        if (stat(part.c_str(), &info) != 0) return FileError(error, "make folder", part);
      }
      if (slash == std::string::npos) return RequireFolder(path);
    }
  }

  absl::StatusOr<std::string> Read(const std::string& path) override {
    const int fd = OpenRetrying(path.c_str(), O_RDONLY);
    if (fd < 0) return Failed("open", path);
    const absl::Cleanup closer = [fd] { close(fd); };
    std::string content;
    char buffer[64 << 10];
    while (true) {
      const ssize_t got = read(fd, buffer, sizeof(buffer));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Failed("read", path);
      if (got == 0) return content;
      if (content.size() + got > kReadBytesMax) return FileError(EFBIG, "read", path);
      content.append(buffer, got);
    }
  }

  absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path,
                                                         bool truncate) override {
    const int fd =
        OpenRetrying(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | (truncate ? O_TRUNC : 0));
    if (fd < 0) return Failed("open", path);
    return std::make_unique<LocalAppendFile>(fd, path);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    return rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus() : Failed("rename", from);
  }

  absl::Status Remove(const std::string& path) override {
    return unlink(path.c_str()) == 0 ? absl::OkStatus() : Failed("remove", path);
  }

  absl::Status SyncFolder(const std::string& path) override {
    const int fd = OpenRetrying(path.c_str(), O_RDONLY | O_DIRECTORY);
    if (fd < 0) return Failed("open folder", path);
    const absl::Cleanup closer = [fd] { close(fd); };
    return SyncDescriptor(fd, path);
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    DIR* folder = opendir(path.c_str());
    if (folder == nullptr) return Failed("open folder", path);
    const absl::Cleanup closer = [folder] { closedir(folder); };
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(folder)) {
      const absl::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return Failed("read folder", path);
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  static absl::Status RequireFolder(const std::string& path) {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return Failed("make folder", path);
    return S_ISDIR(info.st_mode) ? absl::OkStatus() : FileError(ENOTDIR, "make folder", path);
  }
};

}  // namespace

absl::Status FileError(int error, absl::string_view operation, absl::string_view path) {
  const absl::StatusCode code = [error] {
    switch (error) {
      case ENOENT:
        return absl::StatusCode::kNotFound;
      case EACCES:
      case EPERM:
      case EROFS:
        return absl::StatusCode::kPermissionDenied;
      case ENOSPC:
      case EDQUOT:
      case EFBIG:
        return absl::StatusCode::kResourceExhausted;
      default:
        return absl::StatusCode::kUnavailable;
    }
  }();
  const std::string reason = std::generic_category().message(error);
  return absl::Status(code, absl::StrCat(operation, " ", path, ": ", reason));
}

FileSystem& LocalFileSystem() {
  static Local& files = *new Local;
  return files;
}

}  // namespace nightjar::checkpoint
