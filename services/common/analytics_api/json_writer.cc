#include "services/common/analytics_api/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace nightjar::analytics_api {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Bytes that go out as they are: ASCII but for control characters, quote and backslash.
constexpr std::array<bool, 256> MakePlain() {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = MakePlain();

void Append(absl::string_view text, std::string* out) { out->append(text.data(), text.size()); }

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Length of the well-formed UTF-8 sequence of two or more bytes that `text` begins with; 0 if there
// is none (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t SequenceLength(absl::string_view text) {
  const auto at = [&](size_t i) -> unsigned char {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const unsigned char lead = at(0), second = at(1);
  if (lead >= 0xC2 && lead <= 0xDF) return IsContinuation(second) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned char low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = lead == 0xED ? 0x9F : 0xBF;
    return second >= low && second <= high && IsContinuation(at(2)) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned char low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xF4 ? 0x8F : 0xBF;
    const bool tail = IsContinuation(at(2)) && IsContinuation(at(3));
    return second >= low && second <= high && tail ? 4 : 0;
  }
  return 0;
}

void AppendControl(unsigned char byte, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  const char escape[] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
  out->append(escape, sizeof(escape));
}

// Appends what the first byte of `text`, which is not plain, begins; returns how many bytes it
// took.
size_t AppendSpecial(absl::string_view text, std::string* out) {
  const unsigned char byte = static_cast<unsigned char>(text[0]);
  switch (byte) {
    case '"':
      Append("\\\"", out);
      return 1;
    case '\\':
      Append("\\\\", out);
      return 1;
    case '\n':
      Append("\\n", out);
      return 1;
    case '\r':
      Append("\\r", out);
      return 1;
    case '\t':
      Append("\\t", out);
      return 1;
    default:
      break;
  }
  if (byte < 0x80) {
    AppendControl(byte, out);
    return 1;
  }
  const size_t length = SequenceLength(text);
  Append(length == 0 ? kReplacement : text.substr(0, length), out);
  return length == 0 ? 1 : length;
}

void AppendInteger(int64_t value, std::string* out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out->append(digits, end - digits);
}

// `value` with exactly `width` digits, at `to`.
void PutDigits(int64_t value, int width, char* to) {
  for (int i = width - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

// ".5", ".000000001" or nothing.
void AppendFraction(int64_t nano, std::string* out) {
  if (nano == 0) return;
  char text[10] = {'.'};
  PutDigits(nano, 9, text + 1);
  size_t length = sizeof(text);
  while (text[length - 1] == '0') --length;
  out->append(text, length);
}

// Days since 1970-01-01 to a civil date (Howard Hinnant, "chrono-Compatible Low-Level Date
// Algorithms", civil_from_days), at `to` as YYYY-MM-DD. Years 1677 to 2262 is all that int64
// nanoseconds can say.
void PutDate(int64_t days, char* to) {
  const int64_t shifted = days + 719468;
  const int64_t era = shifted / 146097;
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  PutDigits(year_of_era + era * 400 + (month <= 2), 4, to);
  PutDigits(month, 2, to + 5);
  PutDigits(day, 2, to + 8);
}

}  // namespace

void AppendJsonEscaped(absl::string_view text, std::string* out) {
  size_t start = 0;
  size_t at = 0;
  while (at < text.size()) {
    if (kPlain[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    out->append(text.data() + start, at - start);
    at += AppendSpecial(text.substr(at), out);
    start = at;
  }
  out->append(text.data() + start, at - start);
}

void JsonWriter::Key(absl::string_view key) {
  Comma();
  out_.push_back('"');
  Append(key, &out_);
  out_.append("\":", 2);
}

void JsonWriter::String(absl::string_view key, absl::string_view value) {
  Key(key);
  out_.push_back('"');
  AppendJsonEscaped(value, &out_);
  out_.push_back('"');
}

void JsonWriter::StringElement(absl::string_view value) {
  Comma();
  out_.push_back('"');
  AppendJsonEscaped(value, &out_);
  out_.push_back('"');
}

void JsonWriter::Null(absl::string_view key) {
  Key(key);
  Append("null", &out_);
}

void JsonWriter::Real(absl::string_view key, double value) {
  if (!std::isfinite(value)) return Null(key);
  Key(key);
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out_.append(digits, end - digits);
}

void JsonWriter::Integer(absl::string_view key, int64_t value) {
  Key(key);
  AppendInteger(value, &out_);
}

void JsonWriter::Bool(absl::string_view key, bool value) {
  Key(key);
  Append(value ? "true" : "false", &out_);
}

void JsonWriter::Time(absl::string_view key, int64_t unix_nano) {
  Key(key);
  int64_t seconds = unix_nano / kNanosPerSecond;
  int64_t nano = unix_nano % kNanosPerSecond;
  if (nano < 0) nano += kNanosPerSecond, --seconds;
  int64_t days = seconds / 86400;
  int64_t second_of_day = seconds % 86400;
  if (second_of_day < 0) second_of_day += 86400, --days;
  char text[] = "\"0000-00-00T00:00:00";
  PutDate(days, text + 1);
  PutDigits(second_of_day / 3600, 2, text + 12);
  PutDigits(second_of_day / 60 % 60, 2, text + 15);
  PutDigits(second_of_day % 60, 2, text + 18);
  out_.append(text, sizeof(text) - 1);
  AppendFraction(nano, &out_);
  out_.append("Z\"", 2);
}

void JsonWriter::Seconds(absl::string_view key, int64_t nano) {
  Key(key);
  if (nano < 0) out_.push_back('-');
  const uint64_t magnitude = nano < 0 ? 0 - static_cast<uint64_t>(nano) : nano;
  AppendInteger(static_cast<int64_t>(magnitude / kNanosPerSecond), &out_);
  AppendFraction(static_cast<int64_t>(magnitude % kNanosPerSecond), &out_);
}

}  // namespace nightjar::analytics_api
