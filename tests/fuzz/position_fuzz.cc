// The reader's position file: any bytes are refused or understood, and what is understood is
// written back the same.
#include <cstddef>
#include <cstdint>

#include "services/common/status/check.h"
#include "services/es_reader/position.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using nightjar::es_reader::DecodePosition;
  using nightjar::es_reader::EncodePosition;
  const auto position =
      DecodePosition(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!position.ok()) {
    CHECK(!position.status().message().empty());
    return 0;
  }
  const std::string written = EncodePosition(*position);
  const auto again = DecodePosition(written);
  CHECK(again.ok());
  CHECK(EncodePosition(*again) == written);
  return 0;
}
