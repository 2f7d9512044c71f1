#include "services/common/network/domain.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::network {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(NormalizeDomainTest, LowersLettersAndDropsFinalDots) {
  EXPECT_EQ(NormalizeDomain("WWW.Example.COM."), "www.example.com");
  EXPECT_EQ(NormalizeDomain("example.com.."), "example.com");
  EXPECT_EQ(NormalizeDomain("."), "");
  EXPECT_EQ(NormalizeDomain(""), "");
  EXPECT_EQ(NormalizeDomain(".a"), ".a");
  EXPECT_EQ(NormalizeDomain("B\xc3\x9c"
                            "CHER.de"),
            "b\xc3\x9c"
            "cher.de");
  EXPECT_EQ(NormalizeDomain(std::string("A\0B", 3)), std::string("a\0b", 3));
}

TEST(UnescapeDomainTest, UndoesEscapesOfSensors) {
  EXPECT_EQ(UnescapeDomain("plain.example"), "plain.example");
  EXPECT_EQ(UnescapeDomain("a\\.b.example"), "a.b.example");
  EXPECT_EQ(UnescapeDomain("a\\\\b"), "a\\b");
  EXPECT_EQ(UnescapeDomain("\\190\\255\\032x"), "\xbe\xff x");
  EXPECT_EQ(UnescapeDomain("\\000"), std::string("\0", 1));
  EXPECT_EQ(UnescapeDomain("\\0465"), ".5");
}

TEST(UnescapeDomainTest, KeepsWhatIsNoEscape) {
  EXPECT_EQ(UnescapeDomain("a\\"), "a\\");
  EXPECT_EQ(UnescapeDomain("\\12"), "\\12");
  EXPECT_EQ(UnescapeDomain("\\1a2"), "\\1a2");
  EXPECT_EQ(UnescapeDomain("\\256"), "\\256");
  EXPECT_EQ(UnescapeDomain("\\999"), "\\999");
  EXPECT_EQ(UnescapeDomain(""), "");
}

TEST(IsHostNameTest, TakesLettersDigitsHyphensAndUnderscores) {
  for (const char* name : {"a", "com", "example.com", "_dmarc.example.com", "a-b.c_d.e", "1a.2",
                           "-x-.example", "xn--bcher-kva.de", "10.in-addr.arpa"}) {
    EXPECT_TRUE(IsHostName(name)) << name;
  }
  const std::string label63(63, 'a');
  const std::string name254 =
      absl::StrCat(label63, ".", label63, ".", label63, ".", std::string(62, 'b'));
  ASSERT_EQ(name254.size(), 254u);
  EXPECT_TRUE(IsHostName(name254));
  EXPECT_FALSE(IsHostName(absl::StrCat(name254, "b")));
  EXPECT_FALSE(IsHostName(absl::StrCat(label63, "a.com")));
}

TEST(IsHostNameTest, RefusesEverythingElse) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string("example.com."), std::string(".example.com"),
        std::string("a..b"), std::string("1.2.3.4"), std::string("123"), std::string("a b.com"),
        std::string("a/b"), std::string("a:80"), std::string("*.example.com"),
        std::string("b\xc3\xbc"
                    "cher.de"),
        std::string("a\0b", 3), std::string("::1")}) {
    EXPECT_FALSE(IsHostName(name)) << testing::PrintToString(name);
  }
}

TEST(RegistrableDomainTest, FollowsThePublicSuffixList) {
  const struct {
    const char* name;
    const char* registrable;
  } kCases[] = {
      {"example.com", "example.com"},
      {"a.b.example.com", "example.com"},
      {"www.example.co.uk", "example.co.uk"},
      {"alice.github.io", "alice.github.io"},  // private section
      {"x.alice.github.io", "alice.github.io"},
      {"www.ck", "www.ck"},  // an exception to *.ck
      {"a.b.www.ck", "www.ck"},
      {"a.example.ck", "a.example.ck"},            // below *.ck
      {"a.host.localdomain", "host.localdomain"},  // not in the list: the last two labels
      {"_tcp.xn--bcher-kva.de", "xn--bcher-kva.de"},
      {"com", ""},
      {"co.uk", ""},
      {"github.io", ""},
      {"example.ck", ""},
      {"localhost", ""},
      {"", ""},
      {"1.2.3.4", ""},
      {"2001:db8::1", ""},
  };
  for (const auto& c : kCases) EXPECT_EQ(RegistrableDomain(c.name), c.registrable) << c.name;
}

TEST(RegistrableDomainTest, IsAPartOfTheViewAndReadsNothingBehindIt) {
  const std::string text = "www.example.community";
  const absl::string_view name = absl::string_view(text).substr(0, 15);
  EXPECT_EQ(RegistrableDomain(name), "example.com");
  EXPECT_EQ(RegistrableDomain(name).data(), text.data() + 4);
}

TEST(RegistrableDomainTest, NastyNamesGiveNothingOrAPartOfThemselves) {
  EXPECT_EQ(RegistrableDomain(std::string("evil.com\0.example.org", 21)), "");
  EXPECT_EQ(RegistrableDomain(std::string(10000, 'a') + ".com"), "");
  for (const char* name :
       {".", "..", ".com", "..com", "a..com", ".a.b.c", "\xff\xfe.com", "a. .b", "*.com", "-"}) {
    const absl::string_view registrable = RegistrableDomain(name);
    EXPECT_NE(absl::string_view(name).find(registrable), absl::string_view::npos) << name;
  }
  std::string many;
  for (int i = 0; i < 120; ++i) many += "a.";
  EXPECT_EQ(RegistrableDomain(many + "example.com"), "example.com");
}

TEST(HasKnownSuffixTest, LooksAtTheLastLabel) {
  for (const char* name : {"example.com", "com", "www.gov.uk", "1.0.0.10.in-addr.arpa", "a.b.ck",
                           "xn--p1ai", "host.zip"}) {
    EXPECT_TRUE(HasKnownSuffix(name)) << name;
  }
  for (const char* name : {"host.localdomain", "a.lan", "kjhsdfkjh", "", ".", "example.com.",
                           "1.2.3.4", "printer.local", "\xff"}) {
    EXPECT_FALSE(HasKnownSuffix(name)) << name;
  }
}

TEST(DomainSetTest, AnExactEntryIsForItselfOnly) {
  DomainSet set;
  EXPECT_TRUE(set.empty());
  ASSERT_OK(set.Add("Example.COM."));
  EXPECT_FALSE(set.empty());
  EXPECT_TRUE(set.Contains("example.com"));
  EXPECT_FALSE(set.Contains("www.example.com"));
  EXPECT_FALSE(set.Contains("com"));
  EXPECT_FALSE(set.Contains(""));
}

TEST(DomainSetTest, AStarIsForTheNameAndEverythingBelow) {
  DomainSet set;
  ASSERT_OK(set.Add("*.example.com"));
  ASSERT_OK(set.Add("*.ARPA"));
  EXPECT_TRUE(set.Contains("example.com"));
  EXPECT_TRUE(set.Contains("a.b.example.com"));
  EXPECT_TRUE(set.Contains("1.0.0.127.in-addr.arpa"));
  EXPECT_TRUE(set.Contains("arpa"));
  EXPECT_FALSE(set.Contains("notexample.com"));
  EXPECT_FALSE(set.Contains("example.com.evil.net"));
  EXPECT_FALSE(set.Contains("com"));
  EXPECT_FALSE(set.Contains("."));
}

TEST(DomainSetTest, ErrorsNameTheEntry) {
  DomainSet set;
  for (const char* bad : {"", "*", "*.", "**.example.com", "*.*.example.com", "a.*.com",
                          "*example.com", ".example.com", "http://example.com", "1.2.3.4", "a b"}) {
    EXPECT_THAT(set.Add(bad), StatusIs(absl::StatusCode::kInvalidArgument,
                                       AllOf(HasSubstr(absl::StrCat("\"", bad, "\"")),
                                             HasSubstr("expected a host name"))));
  }
  EXPECT_TRUE(set.empty());
}

}  // namespace
}  // namespace nightjar::network
