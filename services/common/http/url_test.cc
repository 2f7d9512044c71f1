#include "services/common/http/url.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ParseUrlTest, TakesHostPortAndSchemeWithTheirDefaults) {
  const struct {
    const char* text;
    const char* origin;
  } kCases[] = {
      {"http://localhost:9200", "http://localhost:9200"},
      {"https://Elastic.Example.COM/path?q=1", "https://elastic.example.com:443"},
      {"HTTP://h", "http://h:80"},
      {"http://[::1]:9200/x", "http://[::1]:9200"},
      {"http://10.0.0.1/", "http://10.0.0.1:80"},
  };
  for (const auto& c : kCases) {
    const auto url = ParseUrl(c.text);
    ASSERT_OK(url);
    EXPECT_EQ(url->Origin(), c.origin);
  }
  EXPECT_EQ(ParseUrl("http://[::1]:9200/x")->host, "::1");
}

TEST(ParseUrlTest, RefusesWhatIsNoHttpUrl) {
  for (const std::string& text :
       {std::string(), std::string("localhost:9200"), std::string("ftp://host/"),
        std::string("file:///etc/passwd"), std::string("http://"), std::string("http://ho st/"),
        std::string("http://h:99999"), std::string("http://h:x"), std::string("http://h\0x", 10),
        std::string("http://h\n/x"), std::string("gopher://h/")}) {
    EXPECT_THAT(ParseUrl(text), StatusIs(absl::StatusCode::kInvalidArgument))
        << testing::PrintToString(text);
  }
  EXPECT_THAT(ParseUrl("ftp://host/"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                HasSubstr("URL ftp://host/: expected http://")));
}

TEST(ParseUrlTest, AUserPartIsRefusedAndItsPasswordNotShown) {
  for (const char* text : {"http://elastic:hunter2@host:9200", "http://elastic:hunter2@ho st"}) {
    EXPECT_THAT(ParseUrl(text),
                StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("hunter2"))));
  }
}

TEST(IsLoopbackTest, IsDecidedByTheHostAlone) {
  for (const char* url :
       {"http://localhost:1", "https://a.localhost/", "http://127.0.0.1", "http://127.9.9.9:80/x",
        "http://[::1]:9200", "http://LOCALHOST", "http://[::ffff:127.0.0.1]/"}) {
    EXPECT_TRUE(IsLoopback(url)) << url;
  }
  for (const char* url : {"http://10.0.0.1", "https://api.example.com", "http://localhost.example",
                          "http://127.0.0.1.example.com", "http://[::2]", "http://0.0.0.0",
                          "http://example.com/localhost", "not a url", ""}) {
    EXPECT_FALSE(IsLoopback(url)) << url;
  }
}

}  // namespace
}  // namespace nightjar::http
