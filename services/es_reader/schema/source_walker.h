// One forward pass over a document's _source: keys are looked up in the field table, wanted values
// are noted.
#ifndef SERVICES_ES_READER_SCHEMA_SOURCE_WALKER_H_
#define SERVICES_ES_READER_SCHEMA_SOURCE_WALKER_H_

#include "absl/strings/string_view.h"
#include "services/es_reader/schema/field_table.h"
#include "services/es_reader/schema/source_fields.h"
#include "simdjson.h"

namespace nightjar::es_reader {

// Fills `fields` (cleared before by the caller) with views into the page, or into the parser where
// a text has escapes. Dotted keys ("source.ip") are the same as objects; the last of several values
// of a field counts. Values that do not have the field's shape become faults. An error means that
// the JSON itself is broken.
simdjson::error_code WalkSource(simdjson::ondemand::object source, const FieldTable& table,
                                SourceFields* fields);

// Text of a string, number or boolean without copying where it has no escapes; STRING_ERROR for a
// lone surrogate, INCORRECT_TYPE for anything else. A null is an empty text with null data().
simdjson::error_code ScalarText(simdjson::ondemand::value& value, absl::string_view* text);

// The key between its quotes, escapes untouched; empty for keys of more than 63 bytes, which are
// none of ours.
absl::string_view RawKey(const simdjson::ondemand::field& field);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_SOURCE_WALKER_H_
