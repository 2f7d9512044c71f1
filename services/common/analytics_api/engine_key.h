// Which API key the stages of this host use at the engine.
#ifndef SERVICES_COMMON_ANALYTICS_API_ENGINE_KEY_H_
#define SERVICES_COMMON_ANALYTICS_API_ENGINE_KEY_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/common/config/config.h"
#include "services/common/config/secret.h"

namespace nightjar::analytics_api {

// Where the embedded engine leaves a key for the other stages of its host at its first start: one
// line, mode 0600.
std::string LocalEngineKeyPath(const config::Config& config);

// engine.api_key; with engine.host local and no such key, the one in LocalEngineKeyPath. Empty when
// that file is not there yet: the engine refuses an empty key, so the caller asks again when it is
// refused. Exit code 78 when there can be no key, or the file cannot be read.
absl::StatusOr<config::Secret> EngineKey(const config::Config& config);

}  // namespace nightjar::analytics_api

#endif  // SERVICES_COMMON_ANALYTICS_API_ENGINE_KEY_H_
