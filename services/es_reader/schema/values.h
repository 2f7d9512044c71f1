// Texts of JSON scalars as values. Pure functions; thread-safe.
#ifndef SERVICES_ES_READER_SCHEMA_VALUES_H_
#define SERVICES_ES_READER_SCHEMA_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace nightjar::es_reader {

// Nanoseconds since the Unix epoch of what Elasticsearch takes for a date: ISO 8601 with or without
// fraction and zone (none is UTC), a date alone, or epoch milliseconds. Times outside 1677 .. 2262
// are cut to the ends of that range (certificates say "9999-12-31").
std::optional<int64_t> ParseTime(absl::string_view text);

// "53", "-1", "53.0", "5.3e1"; not "5.5", not beyond int64.
std::optional<int64_t> ParseInteger(absl::string_view text);

// Lower-case hex pairs with colons of "AA-BB-CC-00-11-22" or any other common form; nullopt if it
// is not an EUI-48 or EUI-64.
std::optional<std::string> ParseMac(absl::string_view text);

// The beginning of `text` in quotes, printable, for messages.
std::string Quoted(absl::string_view text);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_VALUES_H_
