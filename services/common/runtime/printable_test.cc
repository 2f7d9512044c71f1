#include "services/common/runtime/printable.h"

#include "gtest/gtest.h"

namespace nightjar::runtime {
namespace {

TEST(PrintableTest, PlainTextOfAnyLanguageStays) {
  EXPECT_EQ(Printable("GET /a?b=c \"quoted\" \\ 100 %"), "GET /a?b=c \"quoted\" \\ 100 %");
  EXPECT_EQ(Printable("пример.рф 例え 🐦"), "пример.рф 例え 🐦");
  EXPECT_EQ(Printable(""), "");
}

TEST(PrintableTest, LineBreaksCannotForgeALine) {
  EXPECT_EQ(Printable("a\nb\r\n\tc"), "a\\nb\\r\\n\\tc");
  EXPECT_EQ(Printable("a\xE2\x80\xA8"
                      "b"),
            "a\\xe2\\x80\\xa8b");  // U+2028
}

TEST(PrintableTest, TerminalEscapesAreInert) {
  EXPECT_EQ(Printable("\x1B[31mred\x07\x7F"), "\\x1b[31mred\\x07\\x7f");
  EXPECT_EQ(Printable("\xC2\x9B"
                      "2J"),
            "\\xc2\\x9b2J");  // C1 CSI
  EXPECT_EQ(Printable("a\xE2\x80\xAE"
                      "b"),
            "a\\xe2\\x80\\xaeb");  // right-to-left override
  EXPECT_EQ(Printable(absl::string_view("a\0b", 3)), "a\\x00b");
}

TEST(PrintableTest, BytesThatAreNotUtf8AreEscaped) {
  EXPECT_EQ(Printable("\x9B"), "\\x9b");
  EXPECT_EQ(Printable("\xC0\xAF"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(Printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(Printable("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(Printable("\xE2\x82"), "\\xe2\\x82");                    // cut short
}

TEST(PrintableTest, LongTextIsCutAndSaysSo) {
  EXPECT_EQ(Printable("abcdef", 3), "abc...");
  EXPECT_EQ(Printable("abc", 3), "abc");
  EXPECT_EQ(Printable("ab\xC3\xA9", 3), "ab\\xc3...");  // not cut into half a character
}

}  // namespace
}  // namespace nightjar::runtime
