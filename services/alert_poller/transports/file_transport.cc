#include "services/alert_poller/transports/file_transport.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/common/checkpoint/file_system.h"
#include "services/common/status/status_macros.h"

namespace nightjar::alert_poller {
namespace {

constexpr off_t kLineBytesMax = 4 << 20;  // the longest torn line that is looked for
constexpr int kBlockedTicksMax = 100;     // how long a pipe may be full before Write gives up
constexpr int kTickMs = 100;

// How lines of ours begin (formats/).
bool BeginsLikeOurs(absl::string_view line) {
  for (const absl::string_view start : {R"({"severity":)", "CEF:0|"}) {
    if (absl::StartsWith(line, start) || absl::StartsWith(start, line)) return true;
  }
  return false;
}

bool IsStandardStream(const std::string& path) { return path == "stdout" || path == "stderr"; }

}  // namespace

FileTransport::~FileTransport() { Close(); }

absl::Status FileTransport::Error(const char* operation) const {
  return checkpoint::FileError(errno, operation, path_);
}

void FileTransport::Close() {
  if (fd_ >= 0 && !IsStandardStream(path_)) close(fd_);
  fd_ = -1;
}

absl::Status FileTransport::Open() {
  if (IsStandardStream(path_)) {
    fd_ = path_ == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
    return absl::OkStatus();
  }
  fd_ = open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
  if (fd_ < 0) return Error("open");
  struct stat info {};
  if (fstat(fd_, &info) != 0) return Error("look at");
  regular_ = S_ISREG(info.st_mode);
  if (!regular_) return absl::OkStatus();
  const size_t slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  RETURN_IF_ERROR(checkpoint::LocalFileSystem().SyncFolder(folder));
  return RepairEnd();
}

absl::Status FileTransport::RepairEnd() {
  const off_t size = lseek(fd_, 0, SEEK_END);
  if (size < 0) return Error("seek in");
  std::string end(static_cast<size_t>(std::min(size, kLineBytesMax)), '\0');
  if (pread(fd_, end.data(), end.size(), size - static_cast<off_t>(end.size())) !=
      static_cast<ssize_t>(end.size())) {
    return Error("read");
  }
  if (end.empty() || end.back() == '\n') return absl::OkStatus();
  const size_t newline = end.rfind('\n');
  const size_t line = newline == std::string::npos ? 0 : newline + 1;
  const off_t line_at = size - static_cast<off_t>(end.size() - line);
  const bool whole = newline != std::string::npos || line_at == 0;
  // A power loss may leave NULs where the line was to be.
  const absl::string_view torn(end.data() + line, end.size() - line);
  if (whole && (BeginsLikeOurs(torn) || torn[0] == '\0')) {
    return ftruncate(fd_, line_at) == 0 ? absl::OkStatus() : Error("cut a torn line off");
  }
  return WriteAll("\n");
}

absl::Status FileTransport::Write(absl::Span<const std::string> messages, size_t*) {
  if (reopen_.exchange(false)) Close();
  std::string lines;
  for (const std::string& message : messages) absl::StrAppend(&lines, message, "\n");
  absl::Status status = fd_ >= 0 ? absl::OkStatus() : Open();
  if (status.ok()) status = WriteAll(lines);
  if (status.ok() && regular_ && fdatasync(fd_) != 0) status = Error("sync");
  // Opening again repairs what was left.
  if (!status.ok()) Close();
  return status;
}

absl::Status FileTransport::WriteAll(const std::string& lines) {
  size_t written = 0;
  int blocked_ticks = 0;
  while (written < lines.size()) {
    if (cancelled_) return absl::CancelledError("stopped");
    size_t bytes = lines.size() - written;
    if (!regular_) {
      // Standard streams are shared and may block: a pipe that is writable takes this much at once.
      bytes = std::min<size_t>(bytes, PIPE_BUF);
      pollfd waiting = {fd_, POLLOUT, 0};
      if (poll(&waiting, 1, kTickMs) == 0) {
        if (++blocked_ticks <= kBlockedTicksMax) continue;
        return absl::UnavailableError(absl::StrCat("write to ", path_, ": nobody reads it"));
      }
    }
    const ssize_t n = write(fd_, lines.data() + written, bytes);
    if (n < 0 && errno != EINTR && errno != EAGAIN) return Error("write to");
    if (n > 0) written += static_cast<size_t>(n), blocked_ticks = 0;
  }
  return absl::OkStatus();
}

}  // namespace nightjar::alert_poller
