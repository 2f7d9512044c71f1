#include "services/es_reader/schema/values.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "services/es_reader/schema/utf8.h"

namespace nightjar::es_reader {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(ParseTimeTest, ReadsWhatElasticsearchTakes) {
  constexpr int64_t kNoon = 1795521600 * kSecond;
  for (const char* text :
       {"2026-11-24T12:00:00Z", "2026-11-24T12:00:00.000Z", "2026-11-24T12:00:00.000000000Z",
        "2026-11-24T13:00:00+01:00", "2026-11-24T12:00:00", "2026-11-24 12:00:00",
        "2026-11-24T12:00", "1795521600000"}) {
    EXPECT_EQ(ParseTime(text), kNoon) << text;
  }
  EXPECT_EQ(ParseTime("2026-11-24T12:00:00.001Z"), kNoon + 1'000'000);
  EXPECT_EQ(ParseTime("2026-11-24T12:00:00.123456789Z"), kNoon + 123'456'789);
  EXPECT_EQ(ParseTime("2026-11-24"), 1795478400 * kSecond);
  EXPECT_EQ(ParseTime("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTime("2000-02-29T00:00:00Z"), 951782400 * kSecond);
  EXPECT_EQ(ParseTime("2024-12-31T23:59:59Z"), 1735689599 * kSecond);
}

TEST(ParseTimeTest, FarTimesAreCutToTheEnds) {
  EXPECT_EQ(ParseTime("9999-12-31T23:59:59Z"), INT64_MAX);
  EXPECT_EQ(ParseTime("0001-01-01T00:00:00Z"), INT64_MIN);
}

TEST(ParseTimeTest, RefusesTheRest) {
  for (const char* text :
       {"", "now", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-24T25:00:00Z",
        "2026-11-24T12:00:00.Z", "20261124", "2026-11-24T12:00:00.1x3Z", "2026-11-24X12:00:00Z"}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  }
}

TEST(ParseIntegerTest, TakesWholeNumbersInAnyForm) {
  EXPECT_EQ(ParseInteger("53"), 53);
  EXPECT_EQ(ParseInteger("53.0"), 53);
  EXPECT_EQ(ParseInteger("5.3e1"), 53);
  EXPECT_EQ(ParseInteger("-7"), -7);
  EXPECT_EQ(ParseInteger("9223372036854775807"), INT64_MAX);
  for (const char* text :
       {"", "5.5", "many", "true", "9223372036854775808", "1e300", "nan", "inf"}) {
    EXPECT_EQ(ParseInteger(text), std::nullopt) << text;
  }
}

TEST(ParseMacTest, WritesOneForm) {
  for (const char* text : {"AA-BB-CC-00-11-22", "aa:bb:cc:00:11:22", "aabb.cc00.1122"}) {
    EXPECT_EQ(ParseMac(text), "aa:bb:cc:00:11:22") << text;
  }
  EXPECT_EQ(ParseMac("00:11:22:33:44:55:66:77"), "00:11:22:33:44:55:66:77");
  for (const char* text : {"", "aa:bb", "gg:bb:cc:00:11:22", "00:11:22:33:44:55:66:77:88"}) {
    EXPECT_EQ(ParseMac(text), std::nullopt) << text;
  }
}

TEST(ReplaceInvalidUtf8Test, OnlyIllFormedBytesAreReplaced) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"),
            "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
  EXPECT_EQ(ReplaceInvalidUtf8("a\xff"
                               "b\xc3"),
            "a?b?");
  EXPECT_EQ(ReplaceInvalidUtf8("\xed\xa0\x80"), "???") << "a surrogate";
  EXPECT_EQ(ReplaceInvalidUtf8("\xc0\xaf\xe0\x80\xaf"), "?????") << "overlong";
  EXPECT_EQ(ReplaceInvalidUtf8("\xf4\x90\x80\x80"), "????") << "beyond U+10FFFF";
}

TEST(QuotedTest, IsShortAndPrintable) {
  EXPECT_EQ(Quoted("a\n\xff"), "\"a\\n\\xff\"");
  EXPECT_LE(Quoted(std::string(1000, '\x01')).size(), 170u);
}

}  // namespace
}  // namespace nightjar::es_reader
