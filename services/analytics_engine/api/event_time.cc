#include "services/analytics_engine/api/event_time.h"

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace nightjar::analytics_engine {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int kYearMin = 1970, kYearMax = 2261;

// The number that the `count` digits at `at` make, or -1.
int Digits(absl::string_view text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// ".5Z" as 500,000,000; -1 when it is not a fraction of up to nine digits and a Z.
int64_t Fraction(absl::string_view text) {
  if (text == "Z") return 0;
  if (text.size() < 3 || text.size() > 11 || text.front() != '.' || text.back() != 'Z') return -1;
  int64_t value = Digits(text, 1, text.size() - 2);
  for (size_t digits = text.size() - 2; value >= 0 && digits < 9; ++digits) value *= 10;
  return value;
}

// "2026-11-24T12:00:00.5Z", the form that nearly all clients send.
std::optional<int64_t> ParseUtc(absl::string_view text) {
  constexpr size_t kSecondsEnd = 19;
  if (text.size() <= kSecondsEnd || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
  const int hour = Digits(text, 11, 2), minute = Digits(text, 14, 2), second = Digits(text, 17, 2);
  const int64_t nanos = Fraction(text.substr(kSecondsEnd));
  if (year < kYearMin || year > kYearMax || month < 1 || day < 1 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 59 || nanos < 0) {
    return std::nullopt;
  }
  const absl::CivilDay civil(year, month, day);
  if (civil.month() != month || civil.day() != day) return std::nullopt;  // the 30th of February
  const int of_day = (hour * 60 + minute) * 60 + second;
  const int64_t seconds = (civil - absl::CivilDay()) * 86'400 + of_day;
  return seconds * kNanosPerSecond + nanos;
}

}  // namespace

std::optional<int64_t> ParseEventTime(absl::string_view text) {
  if (const auto utc = ParseUtc(text)) return utc;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return std::nullopt;
  const absl::CivilYear year = absl::ToCivilYear(time, absl::UTCTimeZone());
  if (year.year() < kYearMin || year.year() > kYearMax) return std::nullopt;
  return absl::ToUnixNanos(time);
}

}  // namespace nightjar::analytics_engine
