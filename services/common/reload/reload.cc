#include "services/common/reload/reload.h"

#include "absl/strings/str_cat.h"
#include "services/common/runtime/log.h"
#include "services/common/runtime/main.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::reload {

Reloader::Reloader(const config::Config& loaded, unsigned sections,
                   const std::vector<std::string>& more_files, runtime::StageMonitor& monitor)
    : path_(loaded.path),
      sections_(sections),
      more_files_(more_files),
      monitor_(monitor),
      files_(loaded.files) {
  for (const std::string& file : more_files_) files_.push_back(config::StampOf(file));
}

void Reloader::WaitForStop(const Take& take) {
  runtime::WaitForStop([&] { Reload(take); }, [this] { return FilesChanged(); });
}

bool Reloader::FilesChanged() {
  bool changed = false;
  for (config::FileStamp& file : files_) {
    config::FileStamp now = config::StampOf(file.path);
    if (now.look == file.look) continue;
    spdlog::info("{} has changed", file.path);
    file = std::move(now);
    changed = true;
  }
  return changed;
}

void Reloader::Reload(const Take& take) {
  const absl::Status status = LoadAndTake(take);
  if (status.ok()) return monitor_.ClearCondition("configuration");
  monitor_.SetCondition("configuration",
                        absl::StrCat("not reloaded, what was in force stays: ", status.message()));
}

absl::Status Reloader::LoadAndTake(const Take& take) {
  // Stamps from before the files are read: a change in between is seen at the next look.
  std::vector<config::FileStamp> files;
  for (const std::string& file : more_files_) files.push_back(config::StampOf(file));
  ASSIGN_OR_RETURN(const config::Config config, config::Load(path_, sections_));
  files.insert(files.end(), config.files.begin(), config.files.end());
  files_ = std::move(files);
  RETURN_IF_ERROR(runtime::SetLogLevel(config.log.level).status());
  return take(config);
}

}  // namespace nightjar::reload
