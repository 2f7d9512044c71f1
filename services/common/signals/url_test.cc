#include "services/common/signals/url.h"

#include "gtest/gtest.h"

namespace nightjar::signals {
namespace {

TEST(UrlTest, FindsHostPortAndPath) {
  const Url url = ParseUrl("http://www.Example.com:8080/a/b.exe?x=1#y");
  EXPECT_EQ(url.scheme, "http");
  EXPECT_EQ(url.user, "");
  EXPECT_EQ(url.host, "www.Example.com");
  EXPECT_EQ(url.port, "8080");
  EXPECT_EQ(url.path, "/a/b.exe");
}

TEST(UrlTest, SchemeIsOptional) {
  EXPECT_EQ(ParseUrl("example.com/x?to=https://other.example/").host, "example.com");
  EXPECT_EQ(ParseUrl("example.com:443").port, "443");
}

TEST(UrlTest, UserPartNeverHidesTheHost) {
  const Url url = ParseUrl("http://trusted.lan:x@evil.example/");
  EXPECT_EQ(url.user, "trusted.lan:x");
  EXPECT_EQ(url.host, "evil.example");
}

TEST(UrlTest, AddressInBracketsIsTheHost) {
  const Url url = ParseUrl("http://[2001:db8::1]:81/");
  EXPECT_EQ(url.host, "2001:db8::1");
  EXPECT_EQ(url.port, "81");
  EXPECT_EQ(ParseUrl("http://[2001:db8::1").host, "");
}

TEST(UrlTest, NothingToFindIsNoFailure) {
  for (const char* text : {"", "/", "://", "http://", "http:///x", "@", ":"}) {
    EXPECT_EQ(ParseUrl(text).host, "") << text;
  }
  EXPECT_EQ(ParseUrl("http://host./").host, "host");
}

}  // namespace
}  // namespace nightjar::signals
