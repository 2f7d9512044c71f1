#include "services/common/network/address.h"

#include <random>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::network {
namespace {

struct Vector {
  const char* text;
  const char* canonical;
};

TEST(AddressTest, CanonicalTextFollowsRfc5952) {
  const Vector kVectors[] = {
      {"0.0.0.0", "0.0.0.0"},
      {"10.1.2.3", "10.1.2.3"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"2001:0db8::0001", "2001:db8::1"},                // 4.1 leading zeros
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},         // 4.2.1 as short as possible
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},   // 4.2.2 not for one group
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // 4.2.2
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // 4.2.3 the longest run
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // 4.2.3 the first of equals
      {"2001:DB8::AbCd", "2001:db8::abcd"},              // 4.3 lower case
      {"::ffff:192.0.2.1", "192.0.2.1"},                 // IPv4-mapped
      {"::ffff:c000:201", "192.0.2.1"},
      {"::192.0.2.1", "::c000:201"},  // IPv4-compatible stays IPv6
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"fe80::0:0:1", "fe80::1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const Vector& v : kVectors) {
    const auto address = Address::Parse(v.text);
    ASSERT_TRUE(address.has_value()) << v.text;
    EXPECT_EQ(address->ToString(), v.canonical) << v.text;
  }
}

TEST(AddressTest, AnythingElseIsRefused) {
  const std::string kBad[] = {"",
                              " ",
                              "1",
                              "1.2.3",
                              "1.2.3.",
                              ".1.2.3",
                              "1.2.3.4.",
                              "1.2.3.4.5",
                              "1..2.3",
                              "256.1.1.1",
                              "1.2.3.256",
                              "01.2.3.4",
                              "1.2.3.04",
                              "00.0.0.0",
                              "1.2.3.0004",
                              "1.2.3.4444",
                              "+1.2.3.4",
                              "-1.2.3.4",
                              "0x1.2.3.4",
                              " 1.2.3.4",
                              "1.2.3.4 ",
                              "1.2.3.4\n",
                              "1.2.3.4:80",
                              "1.2.3.4/8",
                              "3232235777",
                              ":",
                              ":::",
                              "1:::2",
                              "::1::",
                              "12345::",
                              "g::",
                              "::1 ",
                              " ::1",
                              "fe80::1%eth0",
                              "[::1]",
                              "::1/128",
                              "1:2:3:4:5:6:7",
                              "1:2:3:4:5:6:7:8:9",
                              "1:2:3:4:5:6:7:8::",
                              "::1.2.3",
                              "::01.2.3.4",
                              "::1.2.3.4:5",
                              "1.2.3.4::",
                              "::ffff:1.2.3.256",
                              "localhost",
                              "example.com",
                              std::string("1.2.3.4\0", 8),
                              std::string("::1\0", 4),
                              std::string("::1\0::2", 7),
                              "\xd9\xa1.2.3.4",
                              "1\xe3\x80\x82"
                              "2.3.4",
                              std::string(5000, '1'),
                              std::string(5000, ':')};
  for (const std::string& text : kBad) {
    EXPECT_FALSE(Address::Parse(text).has_value()) << testing::PrintToString(text);
  }
}

TEST(AddressTest, ReadsNothingBehindTheView) {
  EXPECT_EQ(Address::Parse(absl::string_view("10.1.2.34", 8))->ToString(), "10.1.2.3");
  EXPECT_EQ(Address::Parse(absl::string_view("::12", 3))->ToString(), "::1");
  EXPECT_FALSE(Address::Parse(absl::string_view()).has_value());
}

TEST(AddressTest, BothFormsOfAnIpv4AddressAreOneValue) {
  EXPECT_EQ(*Address::Parse("10.0.0.1"), *Address::Parse("::ffff:10.0.0.1"));
  EXPECT_TRUE(Address::Parse("::ffff:10.0.0.1")->is_ipv4());
  EXPECT_FALSE(Address::Parse("::10.0.0.1")->is_ipv4());
  EXPECT_LT(*Address::Parse("9.255.255.255"), *Address::Parse("10.0.0.0"));
  EXPECT_LT(*Address::Parse("::1"), *Address::Parse("0.0.0.0"));
}

TEST(AddressTest, TextOfEveryAddressParsesBackToIt) {
  std::mt19937 random(20260101);
  std::set<Address> seen;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (int group = 0; group < 8; ++group) {
      char part[8];
      // Half of the groups are zero, so that every shape of "::" comes up.
      std::snprintf(part, sizeof(part), "%s%x", group ? ":" : "",
                    random() % 2 ? 0u : static_cast<unsigned>(random() & 0xffff));
      text += part;
    }
    const auto address = Address::Parse(text);
    ASSERT_TRUE(address.has_value()) << text;
    ASSERT_EQ(Address::Parse(address->ToString()), address) << text;
    seen.insert(*address);
  }
  EXPECT_GT(seen.size(), 15000u);
}

}  // namespace
}  // namespace nightjar::network
