#include "services/es_reader/schema/values.h"

#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace nightjar::es_reader {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// Escaped it is at most four times as long.
constexpr size_t kQuotedBytesMax = 40;

int64_t ToNanos(absl::Time time) {
  if (time <= absl::FromUnixNanos(kMin)) return kMin;
  if (time >= absl::FromUnixNanos(kMax)) return kMax;
  return absl::ToUnixNanos(time);
}

// Reads `count` digits at `at`; -1 if there is anything else.
int Digits(absl::string_view text, size_t at, int count) {
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (!absl::ascii_isdigit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// Days since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
int64_t DaysFromCivil(int64_t year, int month, int day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

// The form that every shipper writes, "2026-11-24T11:24:00.001Z": absl::ParseTime costs 20 times as
// much.
std::optional<int64_t> ParseUtc(absl::string_view text) {
  if (text.size() < 20 || text.size() > 30 || text.back() != 'Z') return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
  const int hour = Digits(text, 11, 2), minute = Digits(text, 14, 2), second = Digits(text, 17, 2);
  // Days that not every month has go the careful way, as do years that do not fit.
  if (year < 1700 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 28 || hour < 0 ||
      hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  int64_t nanos = 0;
  if (text.size() > 20) {
    const int digits = static_cast<int>(text.size()) - 21;
    if (text[19] != '.' || digits < 1) return std::nullopt;
    nanos = Digits(text, 20, digits);
    if (nanos < 0) return std::nullopt;
    for (int i = digits; i < 9; ++i) nanos *= 10;
  }
  const int64_t seconds = DaysFromCivil(year, month, day) * 86400 + int64_t{hour} * 3600 +
                          int64_t{minute} * 60 + second;
  return seconds * 1'000'000'000 + nanos;
}

}  // namespace

std::optional<int64_t> ParseTime(absl::string_view text) {
  if (auto nanos = ParseUtc(text)) return nanos;
  int64_t millis = 0;
  // Eight digits or fewer would be a date without hyphens, not milliseconds.
  if (text.size() > 8 && absl::SimpleAtoi(text, &millis)) {
    return ToNanos(absl::UnixEpoch() + absl::Milliseconds(millis));
  }
  for (const char* format :
       {absl::RFC3339_full, "%Y-%m-%d%ET%H:%M:%E*S", "%Y-%m-%d %H:%M:%E*S%Ez",
        "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d%ET%H:%M%Ez", "%Y-%m-%d%ET%H:%M", "%Y-%m-%d"}) {
    absl::Time time;
    if (absl::ParseTime(format, text, &time, nullptr)) return ToNanos(time);
  }
  return std::nullopt;
}

std::optional<int64_t> ParseInteger(absl::string_view text) {
  int64_t value = 0;
  if (absl::SimpleAtoi(text, &value)) return value;
  double number = 0;
  if (!absl::SimpleAtod(text, &number) || number != std::trunc(number)) return std::nullopt;
  // 2^63 as a double: the first value that does not fit.
  if (!(number >= -9223372036854775808.0 && number < 9223372036854775808.0)) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::optional<std::string> ParseMac(absl::string_view text) {
  std::string mac;
  int digits = 0;
  for (char c : text) {
    if (c == ':' || c == '-' || c == '.') continue;
    if (!absl::ascii_isxdigit(c) || digits == 16) return std::nullopt;
    if (digits > 0 && digits % 2 == 0) mac += ':';
    mac += absl::ascii_tolower(c);
    ++digits;
  }
  if (digits != 12 && digits != 16) return std::nullopt;
  return mac;
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kQuotedBytesMax)),
                      text.size() > kQuotedBytesMax ? "..." : "", "\"");
}

}  // namespace nightjar::es_reader
