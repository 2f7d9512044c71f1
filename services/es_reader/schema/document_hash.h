// The identity of a document where sequence numbers cannot be one.
#ifndef SERVICES_ES_READER_SCHEMA_DOCUMENT_HASH_H_
#define SERVICES_ES_READER_SCHEMA_DOCUMENT_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace nightjar::es_reader {

// 64 bits of XXH3 over the id followed by the version in 8 bytes, least significant first.
uint64_t DocumentHash(absl::string_view id, int64_t version);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_DOCUMENT_HASH_H_
