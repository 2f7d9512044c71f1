// The key that the other stages of this host use (engine.host: local).
#ifndef SERVICES_ANALYTICS_ENGINE_LOCAL_KEY_H_
#define SERVICES_ANALYTICS_ENGINE_LOCAL_KEY_H_

#include <string>

#include "absl/status/status.h"
#include "services/analytics_engine/store/key_store.h"
#include "services/common/checkpoint/file_system.h"

namespace nightjar::analytics_engine {

// Unless the file at `path` holds a key that works, makes one for ingest and alerts and writes it
// there (0600). The folder exists. Exit code 78 when the file cannot be written.
absl::Status EnsureLocalKey(KeyStore& keys, checkpoint::FileSystem& files, const std::string& path);

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_LOCAL_KEY_H_
