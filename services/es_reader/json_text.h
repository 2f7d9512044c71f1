// JSON strings for the reader's own small files.
#ifndef SERVICES_ES_READER_JSON_TEXT_H_
#define SERVICES_ES_READER_JSON_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace nightjar::es_reader {

// Appends `text` as a quoted JSON string. Bytes that are not ASCII are kept as they are, so `text`
// should be UTF-8.
void AppendJsonString(absl::string_view text, std::string* out);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_JSON_TEXT_H_
