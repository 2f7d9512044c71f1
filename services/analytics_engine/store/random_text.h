// Unguessable texts.
#ifndef SERVICES_ANALYTICS_ENGINE_STORE_RANDOM_TEXT_H_
#define SERVICES_ANALYTICS_ENGINE_STORE_RANDOM_TEXT_H_

#include <string>

namespace nightjar::analytics_engine {

// A random UUID (RFC 4122, version 4). Thread-safe.
std::string RandomUuid();

// "njk_" and 256 random bits in base64url: 47 characters. Thread-safe.
std::string RandomKeyText();

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_STORE_RANDOM_TEXT_H_
