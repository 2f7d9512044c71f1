#include "services/es_reader/schema/document_hash.h"

#include <algorithm>
#include <array>

#include "xxhash.h"

namespace nightjar::es_reader {
namespace {

// Elasticsearch's limit for an _id.
constexpr size_t kIdBytesMax = 512;

}  // namespace

uint64_t DocumentHash(absl::string_view id, int64_t version) {
  std::array<char, kIdBytesMax + 8> bytes;
  id = id.substr(0, kIdBytesMax);
  char* end = std::copy(id.begin(), id.end(), bytes.begin());
  for (int shift = 0; shift < 64; shift += 8) {
    *end++ = static_cast<char>(static_cast<uint64_t>(version) >> shift);
  }
  return XXH3_64bits(bytes.data(), end - bytes.data());
}

}  // namespace nightjar::es_reader
