#include "services/common/analytics_api/json_writer.h"

#include <limits>
#include <random>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::analytics_api {
namespace {

std::string Escaped(absl::string_view text) {
  std::string out;
  AppendJsonEscaped(text, &out);
  return out;
}

std::string TimeOf(int64_t unix_nano) {
  std::string out;
  JsonWriter(&out).Time("t", unix_nano);
  return out;
}

std::string SecondsOf(int64_t nano) {
  std::string out;
  JsonWriter(&out).Seconds("s", nano);
  return out;
}

TEST(JsonWriter, CommasStandBetweenMembersAndElementsOnly) {
  std::string out;
  JsonWriter line(&out);
  line.BeginObject();
  line.Integer("a", -5);
  line.BeginArray("list");
  line.BeginElement();
  line.Bool("x", true);
  line.EndObject();
  line.BeginElement();
  line.EndObject();
  line.EndArray();
  line.BeginObject("inner");
  line.EndObject();
  line.String("z", "");
  line.EndObject();
  EXPECT_EQ(out, R"({"a":-5,"list":[{"x":true},{}],"inner":{},"z":""})");
}

TEST(JsonWriter, EscapesWhatJsonForbidsInStrings) {
  EXPECT_EQ(Escaped("a\"b\\c\nd\re\tf"), R"(a\"b\\c\nd\re\tf)");
  EXPECT_EQ(Escaped(absl::string_view("\0\x1f\x7f", 3)), R"(\u0000\u001f\u007f)");
}

TEST(JsonWriter, KeepsUtf8AndReplacesWhatIsNot) {
  EXPECT_EQ(Escaped("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"), "café € 😀");
  EXPECT_EQ(Escaped("\xC3"), "\uFFFD");                                // cut short
  EXPECT_EQ(Escaped("\x80z"), "\uFFFDz");                              // continuation alone
  EXPECT_EQ(Escaped("\xC0\xAF"), "\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(Escaped("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");            // lone surrogate
  EXPECT_EQ(Escaped("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
  EXPECT_EQ(Escaped("\xE2\x82"), "\uFFFD\uFFFD");
}

TEST(JsonWriter, TimesHaveOnlyTheDigitsTheyNeed) {
  EXPECT_EQ(TimeOf(0), R"("t":"1970-01-01T00:00:00Z")");
  EXPECT_EQ(TimeOf(1'764'000'000'500'000'000), R"("t":"2025-11-24T16:00:00.5Z")");
  EXPECT_EQ(TimeOf(1'764'000'000'000'000'001), R"("t":"2025-11-24T16:00:00.000000001Z")");
  EXPECT_EQ(TimeOf(951'782'400'000'000'000), R"("t":"2000-02-29T00:00:00Z")");
  EXPECT_EQ(TimeOf(-1), R"("t":"1969-12-31T23:59:59.999999999Z")");
}

TEST(JsonWriter, TimesAgreeWithAbseilOverTheWholeRange) {
  const int seed = 20261124;
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const int64_t nano = static_cast<int64_t>(random());
    const std::string expected =
        absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixNanos(nano), absl::UTCTimeZone());
    ASSERT_EQ(TimeOf(nano), "\"t\":\"" + expected + "\"") << "seed " << seed;
  }
}

TEST(JsonWriter, SecondsAreExact) {
  EXPECT_EQ(SecondsOf(0), R"("s":0)");
  EXPECT_EQ(SecondsOf(1'250'000'000), R"("s":1.25)");
  EXPECT_EQ(SecondsOf(1), R"("s":0.000000001)");
  EXPECT_EQ(SecondsOf(-1'500'000'000), R"("s":-1.5)");
  EXPECT_EQ(SecondsOf(std::numeric_limits<int64_t>::min()), R"("s":-9223372036.854775808)");
}

}  // namespace
}  // namespace nightjar::analytics_api
