#include "services/common/network/cidr_set.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::network {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

bool Holds(const CidrSet& set, absl::string_view address) {
  return set.Contains(*Address::Parse(address));
}

TEST(CidrSetTest, AnEmptySetHoldsNothing) {
  CidrSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(Holds(set, "10.0.0.1"));
  EXPECT_FALSE(Holds(set, "::"));
}

TEST(CidrSetTest, HoldsANetworkFromItsFirstToItsLastAddress) {
  CidrSet set;
  ASSERT_OK(set.Add("172.16.0.0/12"));
  ASSERT_OK(set.Add("fc00::/7"));
  EXPECT_FALSE(Holds(set, "172.15.255.255"));
  EXPECT_TRUE(Holds(set, "172.16.0.0"));
  EXPECT_TRUE(Holds(set, "172.31.255.255"));
  EXPECT_TRUE(Holds(set, "::ffff:172.31.255.255"));
  EXPECT_FALSE(Holds(set, "172.32.0.0"));
  EXPECT_FALSE(Holds(set, "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_TRUE(Holds(set, "fc00::"));
  EXPECT_TRUE(Holds(set, "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(Holds(set, "fe00::"));
}

TEST(CidrSetTest, TakesSingleAddressesAndIgnoresHostBits) {
  CidrSet set;
  ASSERT_OK(set.Add("192.0.2.7"));
  ASSERT_OK(set.Add("2001:db8::7"));
  ASSERT_OK(set.Add("10.1.2.3/8"));
  EXPECT_TRUE(Holds(set, "192.0.2.7"));
  EXPECT_FALSE(Holds(set, "192.0.2.6"));
  EXPECT_FALSE(Holds(set, "192.0.2.8"));
  EXPECT_TRUE(Holds(set, "2001:db8::7"));
  EXPECT_FALSE(Holds(set, "2001:db8::8"));
  EXPECT_TRUE(Holds(set, "10.0.0.0"));
}

TEST(CidrSetTest, AnIpv6NetworkHoldsNoIpv4Address) {
  for (const char* cidr : {"::/0", "::/80", "::/1", "::fffe:0:0/95"}) {
    CidrSet set;
    ASSERT_OK(set.Add(cidr));
    EXPECT_FALSE(Holds(set, "0.0.0.0")) << cidr;
    EXPECT_FALSE(Holds(set, "10.1.2.3")) << cidr;
    EXPECT_FALSE(Holds(set, "255.255.255.255")) << cidr;
    EXPECT_TRUE(Holds(set, "::fffe:ffff:ffff")) << cidr;
  }
  CidrSet all6;
  ASSERT_OK(all6.Add("::/0"));
  EXPECT_TRUE(Holds(all6, "::"));
  EXPECT_TRUE(Holds(all6, "::1:0:0:0"));
  EXPECT_TRUE(Holds(all6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  CidrSet all4;
  ASSERT_OK(all4.Add("0.0.0.0/0"));
  EXPECT_TRUE(Holds(all4, "255.255.255.255"));
  EXPECT_FALSE(Holds(all4, "::1"));
  CidrSet mapped;
  ASSERT_OK(mapped.Add("::ffff:10.0.0.0/104"));
  EXPECT_TRUE(Holds(mapped, "10.255.0.1"));
  EXPECT_FALSE(Holds(mapped, "11.0.0.1"));
}

TEST(CidrSetTest, ErrorsNameTheTextAndWhatIsWrong) {
  for (const char* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ",
                          "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "fc00::/129",
                          "fc00::/7x", "1.2.3.4/99999999999999999999"}) {
    CidrSet set;
    EXPECT_THAT(set.Add(bad),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(bad), HasSubstr("after / must be a number"))));
    EXPECT_TRUE(set.empty());
  }
  for (const char* bad : {"", "/", "/8", "10.0.0/8", "10.0.0.256/8", " 10.0.0.0/8", "all",
                          "example.com", "10.0.0.0-10.0.0.9", "fe80::1%eth0/64"}) {
    CidrSet set;
    EXPECT_THAT(set.Add(bad), StatusIs(absl::StatusCode::kInvalidArgument,
                                       AllOf(HasSubstr(bad), HasSubstr("not an IPv4 or IPv6"))));
  }
}

// The model tries every network on its own.
TEST(CidrSetTest, AgreesWithOneByOneMatchingOverRandomNetworks) {
  for (uint32_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    CidrSet all;
    std::vector<CidrSet> each(30);
    for (CidrSet& one : each) {
      const std::string cidr =
          absl::StrCat("10.0.", random() % 4, ".", random() % 256, "/", 22 + random() % 11);
      ASSERT_OK(all.Add(cidr));
      ASSERT_OK(one.Add(cidr));
    }
    for (int n = 0; n < 5 * 256; ++n) {
      const Address address = *Address::Parse(absl::StrCat("10.0.", n / 256, ".", n % 256));
      bool expected = false;
      for (const CidrSet& one : each) expected |= one.Contains(address);
      ASSERT_EQ(all.Contains(address), expected) << address.ToString();
    }
  }
}

TEST(SpecialUseTest, KnowsTheRegistryAndLeavesDocumentationNetworksPublic) {
  for (const char* special :
       {"0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.0.1",
        "192.168.1.1", "198.19.0.1", "224.0.0.251", "239.255.255.250", "255.255.255.255",
        "::", "::1", "fd00::1", "fe80::1", "ff02::fb", "100::1"}) {
    EXPECT_TRUE(IsSpecialUse(*Address::Parse(special))) << special;
  }
  for (const char* open : {"8.8.8.8", "172.32.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.9",
                           "2001:db8::1", "2606:4700::1111", "100.128.0.1", "11.0.0.0"}) {
    EXPECT_FALSE(IsSpecialUse(*Address::Parse(open))) << open;
  }
}

TEST(PrivateTest, IsRfc1918And4193And6598) {
  for (const char* inside :
       {"10.255.255.255", "172.16.0.1", "192.168.0.0", "100.127.255.255", "fdff::1"}) {
    EXPECT_TRUE(IsPrivate(*Address::Parse(inside))) << inside;
  }
  for (const char* outside : {"127.0.0.1", "169.254.0.1", "224.0.0.1", "192.0.2.1", "fe80::1"}) {
    EXPECT_FALSE(IsPrivate(*Address::Parse(outside))) << outside;
  }
}

}  // namespace
}  // namespace nightjar::network
