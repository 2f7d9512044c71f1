#include "services/es_reader/schema/field_reader.h"

#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/common/network/address.h"
#include "services/es_reader/schema/field_table.h"
#include "services/es_reader/schema/values.h"

namespace nightjar::es_reader {

std::string FieldReader::Text(std::initializer_list<Field> fields) const {
  for (Field field : fields) {
    if (const absl::string_view text = fields_.text(field); !text.empty()) return std::string(text);
  }
  return "";
}

std::string FieldReader::Lower(std::initializer_list<Field> fields) const {
  std::string text = Text(fields);
  absl::AsciiStrToLower(&text);
  return text;
}

std::string FieldReader::Upper(Field field) const {
  std::string text(fields_.text(field));
  absl::AsciiStrToUpper(&text);
  return text;
}

std::optional<int64_t> FieldReader::Count(Field field) {
  if (!fields_.has(field)) return std::nullopt;
  const std::optional<int64_t> count = ParseInteger(fields_.text(field));
  if (count.has_value() && *count >= 0) return count;
  Wrong(field, "a whole number");
  return std::nullopt;
}

uint32_t FieldReader::Number(Field field, uint32_t max) {
  const int64_t number = Count(field).value_or(0);
  if (number <= max) return static_cast<uint32_t>(number);
  Wrong(field, absl::StrCat("a number up to ", max));
  return 0;
}

int64_t FieldReader::Time(std::initializer_list<Field> fields) {
  for (Field field : fields) {
    if (!fields_.has(field)) continue;
    if (const std::optional<int64_t> nanos = ParseTime(fields_.text(field))) return *nanos;
    Fail("bad_time", absl::StrCat(FieldPath(field), ": ", Quoted(fields_.text(field))));
    return 0;
  }
  return 0;
}

std::optional<bool> FieldReader::Bool(Field field) {
  if (!fields_.has(field)) return std::nullopt;
  const absl::string_view text = fields_.text(field);
  if (text == "true") return true;
  if (text == "false") return false;
  Wrong(field, "true or false");
  return std::nullopt;
}

std::string FieldReader::Ip(Field field) {
  const absl::string_view text = fields_.text(field);
  if (text.empty()) return "";
  const std::optional<network::Address> address = network::Address::Parse(text);
  if (!address.has_value()) {
    Fail("bad_ip", absl::StrCat(FieldPath(field), ": ", Quoted(text)));
    return "";
  }
  // Dotted quads that parse are canonical already.
  const bool dotted = text.find(':') == absl::string_view::npos;
  return dotted ? std::string(text) : address->ToString();
}

std::string FieldReader::Mac(Field field) const {
  const absl::string_view text = fields_.text(field);
  return ParseMac(text).value_or(absl::AsciiStrToLower(text));
}

void FieldReader::Fail(absl::string_view reason, std::string detail) {
  if (fault_.ok()) fault_ = {reason, std::move(detail)};
}

void FieldReader::Wrong(Field field, absl::string_view wanted) {
  Fail("wrong_type",
       absl::StrCat(FieldPath(field), ": ", Quoted(fields_.text(field)), " is not ", wanted));
}

}  // namespace nightjar::es_reader
