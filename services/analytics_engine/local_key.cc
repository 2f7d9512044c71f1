#include "services/analytics_engine/local_key.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::analytics_engine {
namespace {

// Whole or not at all, so that no other stage reads half a key.
absl::Status WriteKey(checkpoint::FileSystem& files, const std::string& path,
                      const config::Secret& key) {
  const std::string unfinished = path + ".tmp";
  ASSIGN_OR_RETURN(const auto file, files.OpenAppend(unfinished, /*truncate=*/true));
  RETURN_IF_ERROR(file->Append(key.reveal()));
  RETURN_IF_ERROR(file->Append("\n"));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(files.Rename(unfinished, path));
  return files.SyncFolder(path.substr(0, path.rfind('/')));
}

}  // namespace

absl::Status EnsureLocalKey(KeyStore& keys, checkpoint::FileSystem& files,
                            const std::string& path) {
  const absl::StatusOr<std::string> text = files.Read(path);
  if (!text.ok() && !absl::IsNotFound(text.status())) {
    return ConfigError(absl::StrCat("cannot read the local key: ", text.status().message()));
  }
  if (text.ok()) {
    const absl::string_view key = absl::StripAsciiWhitespace(*text);
    if (keys.Check(key, kIngestScope).ok() && keys.Check(key, kAlertsScope).ok()) {
      return absl::OkStatus();
    }
  }
  config::Secret key;
  ASSIGN_OR_RETURN(const KeyInfo made,
                   keys.Create(kIngestScope | kAlertsScope, "the stages of this host",
                               absl::ZeroDuration(), &key));
  if (absl::Status written = WriteKey(files, path, key); !written.ok()) {
    return ConfigError(absl::StrCat("cannot write the local key: ", written.message()));
  }
  spdlog::info("made the API key {}... for the stages of this host, in {}", made.prefix, path);
  return absl::OkStatus();
}

}  // namespace nightjar::analytics_engine
