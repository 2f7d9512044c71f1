#include "services/common/analytics_api/engine_key.h"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/common/config/small_file.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::analytics_api {
namespace {

constexpr size_t kKeyFileBytesMax = 4096;

}  // namespace

std::string LocalEngineKeyPath(const config::Config& config) {
  return config.data.dir + "/analytics_engine/local.key";
}

absl::StatusOr<config::Secret> EngineKey(const config::Config& config) {
  if (!config.engine.api_key.empty()) return config.engine.api_key;
  if (!config.engine.local) {
    return ConfigError(
        absl::StrCat(config.path,
                     ": engine.api_key is missing: the engine takes no events without one. Set it, "
                     "best as api_key: ${file:/path/of/the/key}"));
  }
  const std::string path = LocalEngineKeyPath(config);
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return config::Secret();
  ASSIGN_OR_RETURN(std::string text, config::ReadSmallFile(path, kKeyFileBytesMax));
  const config::Secret file(std::move(text));
  return config::Secret(std::string(absl::StripAsciiWhitespace(file.reveal())));
}

}  // namespace nightjar::analytics_api
