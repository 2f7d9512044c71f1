#include "services/es_reader/schema/redact.h"

#include "gtest/gtest.h"
#include "services/common/config/config.h"

namespace nightjar::es_reader {
namespace {

std::string Redacted(std::string url) {
  const bool found = Redactor(config::PrivacyConfig().secret_parameters).Redact(&url);
  return found ? url : "unchanged " + url;
}

TEST(RedactorTest, SecretParametersAreMaskedAndNothingElseChanges) {
  EXPECT_EQ(Redacted("http://h/login?password=S3cret0&user=alice"),
            "http://h/login?password=***&user=alice");
  EXPECT_EQ(Redacted("http://h/?a=1&&token=x=y;sid=2#f"), "http://h/?a=1&&token=***;sid=***#f");
  EXPECT_EQ(Redacted("/path?api_key=1"), "/path?api_key=***");
}

TEST(RedactorTest, NamesCompareWithoutCaseAndEscapes) {
  EXPECT_EQ(Redacted("http://h/?PassWord=1"), "http://h/?PassWord=***");
  EXPECT_EQ(Redacted("http://h/?%70assword=1"), "http://h/?%70assword=***");
  EXPECT_EQ(Redacted("http://h/?user[password]=1"), "http://h/?user[password]=***");
  EXPECT_EQ(Redacted("http://h/?user%5Bpwd%5D=1"), "http://h/?user%5Bpwd%5D=***");
}

TEST(RedactorTest, SimilarNamesAndEmptyValuesStay) {
  for (const char* url : {"http://h/?passwords=1", "http://h/?xpassword=1", "http://h/?password",
                          "http://h/?password=", "http://h/password=1", "http://h/?q=password%3D1",
                          "http://h/?%=1&%7=1", "", "?"}) {
    EXPECT_EQ(Redacted(url), std::string("unchanged ") + url);
  }
}

TEST(RedactorTest, ThePasswordOfAUserPartIsMasked) {
  EXPECT_EQ(Redacted("ftp://bob:pw@h/x"), "ftp://bob:***@h/x");
  EXPECT_EQ(Redacted("http://bob:p@w@h:80"), "http://bob:***@h:80");
  EXPECT_EQ(Redacted("http://:pw@h/?code=1"), "http://:***@h/?code=***");
  EXPECT_EQ(Redacted("http://bob@h/"), "unchanged http://bob@h/");
  EXPECT_EQ(Redacted("http://bob:@h/"), "unchanged http://bob:@h/");
  EXPECT_EQ(Redacted("http://h:80/a@b:c"), "unchanged http://h:80/a@b:c");
}

TEST(RedactorTest, TheListIsConfigurable) {
  const Redactor redactor({"Ticket"});
  std::string url = "http://h/?ticket=1&password=2";
  EXPECT_TRUE(redactor.Redact(&url));
  EXPECT_EQ(url, "http://h/?ticket=***&password=2");
}

}  // namespace
}  // namespace nightjar::es_reader
