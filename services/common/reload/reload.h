// What a running stage takes up without a restart.
#ifndef SERVICES_COMMON_RELOAD_RELOAD_H_
#define SERVICES_COMMON_RELOAD_RELOAD_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/common/config/config.h"
#include "services/common/config/file_stamp.h"
#include "services/common/runtime/stage_monitor.h"

namespace nightjar::reload {

// Reads the configuration again at SIGHUP, and when a file that it refers to as ${file:/path}, or
// another one that was named, is not the one that was read: secrets change by their files alone.
// config.yml itself is not watched. For main's thread; `monitor` outlives it.
class Reloader {
 public:
  // Takes what changed. An error leaves in force what was, and is said.
  using Take = std::function<absl::Status(const config::Config&)>;

  // `loaded` is what config::Load gave for `sections`. `more_files`: e.g. certificates.
  Reloader(const config::Config& loaded, unsigned sections,
           const std::vector<std::string>& more_files, runtime::StageMonitor& monitor);

  // As runtime::WaitForStop, which looks at the files every runtime::kLookSeconds.
  void WaitForStop(const Take& take);

  // One look: whether a file is another one than at the last look, or than when it was read.
  bool FilesChanged();
  // Reads the configuration again, sets log.level and calls `take`. What goes wrong stays the
  // stage's condition "configuration" until it goes right.
  void Reload(const Take& take);

 private:
  absl::Status LoadAndTake(const Take& take);

  const std::string path_;
  const unsigned sections_;
  const std::vector<std::string> more_files_;
  runtime::StageMonitor& monitor_;
  std::vector<config::FileStamp> files_;
};

}  // namespace nightjar::reload

#endif  // SERVICES_COMMON_RELOAD_RELOAD_H_
