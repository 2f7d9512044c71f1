#include "services/common/runtime/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/common/runtime/printable.h"
#include "services/common/status/exit_status.h"
#include "spdlog/sinks/sink.h"
#include "spdlog/spdlog.h"

namespace nightjar::runtime {
namespace {

struct LevelName {
  const char* name;
  const char* label;
  spdlog::level::level_enum level;
};
constexpr LevelName kLevels[] = {
    {"debug", "DEBUG", spdlog::level::debug},
    {"info", "INFO", spdlog::level::info},
    {"warn", "WARN", spdlog::level::warn},
    {"error", "ERROR", spdlog::level::err},
};

const LevelName& NameOf(spdlog::level::level_enum level) {
  for (const LevelName& entry : kLevels) {
    if (level <= entry.level) return entry;
  }
  return kLevels[3];
}

std::optional<spdlog::level::level_enum> ParseLevel(absl::string_view name) {
  for (const LevelName& entry : kLevels) {
    if (name == entry.name) return entry.level;
  }
  return std::nullopt;
}

absl::string_view View(spdlog::string_view_t text) { return {text.data(), text.size()}; }

int OpenForAppend(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

// Writes each line with one write(), so that lines of several processes do not mix in one file.
class LineSink final : public spdlog::sinks::sink {
 public:
  // `path` empty: `fd` is never opened again and never closed.
  LineSink(int fd, std::string path, std::string stage)
      : path_(std::move(path)), stage_(std::move(stage)), fd_(fd) {}
  ~LineSink() override {
    if (!path_.empty()) close(fd_);
  }

  void log(const spdlog::details::log_msg& message) override {
    const absl::string_view label = NameOf(message.level).label;
    const absl::Time time = absl::FromChrono(message.time);
    std::lock_guard<std::mutex> lock(mutex_);
    if (lines_lost_ > 0 &&
        Write(Line(time, "WARN", absl::StrCat(lines_lost_, " log lines could not be written")))) {
      lines_lost_ = 0;
    }
    if (!Write(Line(time, label, View(message.payload)))) ++lines_lost_;
  }

  void Reopen() {
    if (path_.empty()) return;
    const int fd = OpenForAppend(path_);
    if (fd < 0) {
      spdlog::error("log file {} cannot be opened again: {}; the old one is kept", path_,
                    std::strerror(errno));
      return;
    }
    std::lock_guard<std::mutex> lock(mutex_);
    close(fd_);
    fd_ = fd;
  }

  // Nothing is buffered, and the one format is the product's.
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  std::string Line(absl::Time time, absl::string_view label, absl::string_view text) const {
    return absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()), " ",
                        label, " ", stage_, ": ", Printable(text), "\n");
  }

  bool Write(const std::string& line) {
    size_t done = 0;
    while (done < line.size()) {
      const ssize_t n = write(fd_, line.data() + done, line.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      done += static_cast<size_t>(n);
    }
    return true;
  }

  const std::string path_;
  const std::string stage_;
  std::mutex mutex_;
  int fd_;
  uint64_t lines_lost_ = 0;
};

std::shared_ptr<LineSink> CurrentSink() {
  for (const auto& sink : spdlog::default_logger()->sinks()) {
    if (auto line_sink = std::dynamic_pointer_cast<LineSink>(sink)) return line_sink;
  }
  return nullptr;
}

}  // namespace

absl::Status InitLog(const std::string& file, const std::string& level, const std::string& stage) {
  const auto parsed = ParseLevel(level);
  if (!parsed) {
    return ConfigError(
        absl::StrCat("log.level is \"", level, "\"; it must be debug, info, warn or error"));
  }
  int fd = file == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
  std::string path;
  if (file != "stdout" && file != "stderr") {
    path = file;
    fd = OpenForAppend(path);
    if (fd < 0) {
      return ConfigError(absl::StrCat("log file \"", path,
                                      "\" cannot be opened: ", std::strerror(errno),
                                      "; name a writable path, stdout or stderr in log.file"));
    }
  }
  auto logger = std::make_shared<spdlog::logger>(
      stage, std::make_shared<LineSink>(fd, std::move(path), stage));
  logger->set_level(*parsed);
  spdlog::set_default_logger(std::move(logger));
  return absl::OkStatus();
}

absl::StatusOr<std::string> SetLogLevel(absl::string_view level) {
  const auto parsed = ParseLevel(level);
  if (!parsed) {
    return absl::InvalidArgumentError(absl::StrCat("log level is \"", Printable(level, 64),
                                                   "\"; it must be debug, info, warn or error"));
  }
  const auto logger = spdlog::default_logger();
  std::string previous = NameOf(logger->level()).name;
  logger->set_level(*parsed);
  return previous;
}

void LogAlways(absl::string_view text) {
  const auto logger = spdlog::default_logger();
  const spdlog::details::log_msg message(logger->name(), spdlog::level::info,
                                         {text.data(), text.size()});
  for (const auto& sink : logger->sinks()) sink->log(message);
}

void ReopenLog() {
  if (const auto sink = CurrentSink()) sink->Reopen();
}

}  // namespace nightjar::runtime
