// Fuzz target: config.yml. Whatever the bytes, an answer or an error, and what was accepted can be
// dumped.
#include <cstddef>
#include <cstdint>
#include <string>

#include "services/common/config/config.h"
#include "services/common/status/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (text.find("${file:") != std::string::npos) return 0;  // a mutation may name any file
  const auto config = nightjar::config::LoadText(text, "config.yml", nightjar::config::kAll);
  if (!config.ok()) {
    CHECK(!config.status().message().empty());
    return 0;
  }
  const std::string dump = nightjar::config::Dump(*config);
  CHECK(nightjar::config::LoadText(dump, "dump.yml", nightjar::config::kAll).ok());
  return 0;
}
