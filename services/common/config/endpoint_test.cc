#include "services/common/config/endpoint.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(EndpointTest, UrlsNeedASchemeAndAHost) {
  const std::vector<std::string> schemes = {"http://", "https://"};
  for (const char* good : {"http://localhost:9200", "https://es.example.com",
                           "https://[::1]:9200/a", "https://192.0.2.1/base/path"}) {
    EXPECT_EQ(UrlProblem(good, schemes), "") << good;
  }
  EXPECT_EQ(UrlProblem("es:9200", schemes), "\"es:9200\" must start with http:// or https://");
  EXPECT_EQ(UrlProblem("http://", schemes), "\"\" is not a host name or address");
  EXPECT_EQ(UrlProblem("http://h:0", schemes), "port 0 cannot be connected to");
  EXPECT_EQ(UrlProblem("http://h:x", schemes), "port \"x\" is not a number from 0 to 65535");
  EXPECT_EQ(UrlProblem("http://::1", schemes), "\":\" is not a host name or address");
  EXPECT_EQ(UrlProblem("http://[host]", schemes), "\"[host]\" is not a host name or address");
  EXPECT_EQ(UrlProblem("http://h/?a=b", schemes), "\"http://h/...\" must end before ? and #");
  EXPECT_THAT(UrlProblem("http://h\xc3\xa9", schemes), HasSubstr("beyond ASCII"));
}

TEST(EndpointTest, PasswordsInUrlsAreRefusedWithoutBeingRepeated) {
  for (const char* bad : {"http://user:canary@h", "user:canary@h", "ftp://user:canary@h"}) {
    EXPECT_THAT(UrlProblem(bad, {"http://"}), HasSubstr("name or password")) << bad;
    EXPECT_THAT(UrlProblem(bad, {"http://"}), Not(HasSubstr("canary"))) << bad;
    EXPECT_THAT(ProxyProblem(bad), Not(HasSubstr("canary"))) << bad;
  }
}

TEST(EndpointTest, ProxiesMayCarryAPasswordAndNoPath) {
  EXPECT_EQ(ProxyProblem("http://user:p@ss@proxy:3128/"), "");
  EXPECT_EQ(ProxyProblem("http://proxy/path"), "a proxy has no path");
  EXPECT_EQ(MaskUserInfo("http://user:p@ss@proxy:3128/"), "http://********@proxy:3128/");
  EXPECT_EQ(MaskUserInfo("http://proxy:3128"), "http://proxy:3128");
}

TEST(EndpointTest, AddressesToListenAtHaveAPort) {
  for (const char* good : {"127.0.0.1:0", "[::]:7480", "localhost:65535"}) {
    EXPECT_EQ(ListenProblem(good), "") << good;
  }
  EXPECT_THAT(ListenProblem("localhost"), HasSubstr("has no port"));
  EXPECT_THAT(ListenProblem("[::1]"), HasSubstr("has no port"));
  EXPECT_EQ(ListenProblem(":7480"), "\"\" is not a host name or address");
}

TEST(EndpointTest, ChannelsAreWhatGrpcTakes) {
  for (const char* good : {"scorer:7402", "dns:///scorer:7402", "unix:/run/scorer"}) {
    EXPECT_EQ(ChannelProblem(good), "") << good;
  }
  EXPECT_EQ(ChannelProblem("scorer:0"), "port 0 cannot be connected to");
  EXPECT_THAT(ChannelProblem("http://scorer:7402"), HasSubstr("is not a host name"));
}

TEST(EndpointTest, OnlyPlainTextToOtherHostsIsExposed) {
  EXPECT_TRUE(IsPlainTextOffHost("http://es.example.com:9200"));
  for (const char* safe : {"https://es.example.com", "http://localhost:9200", "http://127.0.0.1",
                           "http://[::1]:9200"}) {
    EXPECT_FALSE(IsPlainTextOffHost(safe)) << safe;
  }
}

}  // namespace
}  // namespace nightjar::config
