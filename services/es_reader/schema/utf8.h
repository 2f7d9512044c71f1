// Repairs text that claims to be UTF-8 and is not.
#ifndef SERVICES_ES_READER_SCHEMA_UTF8_H_
#define SERVICES_ES_READER_SCHEMA_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace nightjar::es_reader {

// `text` with '?' for every byte that is not part of a well-formed sequence (Unicode 15, table
// 3-7).
std::string ReplaceInvalidUtf8(absl::string_view text);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_UTF8_H_
