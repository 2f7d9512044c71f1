// Typed reading of a document's fields; remembers the first that did not hold what it should.
#ifndef SERVICES_ES_READER_SCHEMA_FIELD_READER_H_
#define SERVICES_ES_READER_SCHEMA_FIELD_READER_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "services/es_reader/schema/source_fields.h"

namespace nightjar::es_reader {

// Absent fields read as empty, 0 or nullopt and are no fault. One per document; not thread-safe.
// `fields` outlives it.
class FieldReader {
 public:
  explicit FieldReader(const SourceFields& fields) : fields_(fields) {}

  const SourceFields& fields() const { return fields_; }

  // Of the first of `fields` that is there.
  std::string Text(std::initializer_list<Field> fields) const;
  std::string Lower(std::initializer_list<Field> fields) const;
  std::string Upper(Field field) const;

  // A whole number, not negative.
  std::optional<int64_t> Count(Field field);
  // The same, at most `max`; 0 when absent.
  uint32_t Number(Field field, uint32_t max);
  // Nanoseconds since the Unix epoch, of the first field that is there; 0 when none is.
  int64_t Time(std::initializer_list<Field> fields);
  std::optional<bool> Bool(Field field);
  // In canonical form.
  std::string Ip(Field field);
  // Lower case with colons; as it stands (in lower case) when it is no MAC address.
  std::string Mac(Field field) const;

  // Notes a fault unless there is one already.
  void Fail(absl::string_view reason, std::string detail);
  // Notes wrong_type with the field's path and content.
  void Wrong(Field field, absl::string_view wanted);

  const Fault& fault() const { return fault_; }

 private:
  const SourceFields& fields_;
  Fault fault_;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_FIELD_READER_H_
