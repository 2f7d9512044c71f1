// Writes JSON objects on one line each, straight into a growing buffer. Made for events: no tree,
// no copies, no locale.
#ifndef SERVICES_COMMON_ANALYTICS_API_JSON_WRITER_H_
#define SERVICES_COMMON_ANALYTICS_API_JSON_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace nightjar::analytics_api {

// Appends to `out`, which outlives it. Keys are written as they are: they are ours and need no
// escaping. Values are valid UTF-8 JSON whatever the bytes: control characters are escaped, bytes
// that are not UTF-8 become U+FFFD. Not thread-safe. The caller pairs the brackets.
//
//   JsonWriter line(&buffer);
//   line.BeginObject();
//   line.String("query", "example.com");
//   line.EndObject();
class JsonWriter {
 public:
  explicit JsonWriter(std::string* out) : out_(*out) {}

  void BeginObject() { Open('{'); }
  void BeginObject(absl::string_view key) { Key(key), Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray(absl::string_view key) { Key(key), Open('['); }
  void EndArray() { Close(']'); }
  // An object as an element of an array.
  void BeginElement() { Comma(), Open('{'); }

  void String(absl::string_view key, absl::string_view value);
  // A text as an element of an array.
  void StringElement(absl::string_view value);
  void Null(absl::string_view key);
  // As short as it can be and still read back the same; null for what JSON has no number for.
  void Real(absl::string_view key, double value);
  void Integer(absl::string_view key, int64_t value);
  void Bool(absl::string_view key, bool value);
  // RFC 3339 in UTC with as many digits of the second as it needs: 2026-11-24T12:00:00.5Z.
  void Time(absl::string_view key, int64_t unix_nano);
  // Nanoseconds as seconds, exact: 1.25.
  void Seconds(absl::string_view key, int64_t nano);

 private:
  void Open(char bracket) {
    out_.push_back(bracket);
    first_ = true;
  }
  void Close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
  }
  void Comma() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }
  void Key(absl::string_view key);

  std::string& out_;
  bool first_ = true;  // nothing was written yet since the last bracket opened
};

// Appends `text` with what JSON or UTF-8 do not allow escaped, without quotes around it.
void AppendJsonEscaped(absl::string_view text, std::string* out);

}  // namespace nightjar::analytics_api

#endif  // SERVICES_COMMON_ANALYTICS_API_JSON_WRITER_H_
