#include "services/es_reader/elastic/elastic_options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/http/test_certificates.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::es_reader {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CloudIdTest, NamesTheElasticsearchHost) {
  // "lab:" and base64 of "us-east.example.net$esuuid$kibanauuid", then of
  // "cloud.example:9243$esuuid".
  EXPECT_THAT(DecodeCloudId("lab:dXMtZWFzdC5leGFtcGxlLm5ldCRlc3V1aWQka2liYW5hdXVpZA=="),
              IsOkAndHolds("https://esuuid.us-east.example.net:443"));
  EXPECT_THAT(DecodeCloudId("Y2xvdWQuZXhhbXBsZTo5MjQzJGVzdXVpZA=="),
              IsOkAndHolds("https://esuuid.cloud.example:9243"));
}

TEST(CloudIdTest, AnythingElseIsAConfigurationError) {
  for (const char* id : {"", "lab:", "lab:!!!", "lab:bm8tZG9sbGFy", "lab:JGE="}) {
    const absl::StatusOr<std::string> url = DecodeCloudId(id);
    ASSERT_FALSE(url.ok()) << id;
    EXPECT_EQ(ExitStatus(url.status()), kExitConfig) << id;
  }
}

TEST(FromConfigTest, HostsBecomeBaseUrls) {
  config::ElasticConfig config;
  config.hosts = {"localhost:9200", "https://es.example:9200/", "http://proxy.example/es//"};
  const auto options = FromConfig(config);
  ASSERT_OK(options);
  EXPECT_THAT(options->hosts, ElementsAre("http://localhost:9200", "https://es.example:9200",
                                          "http://proxy.example/es"));
  EXPECT_FALSE(options->endpoint.accept_gzip);
}

TEST(FromConfigTest, BadHostsAreConfigurationErrors) {
  for (const char* host : {"ftp://x", "http://", "http://u:secret@x", "http://x?y", ""}) {
    config::ElasticConfig config;
    config.hosts = {host};
    const auto options = FromConfig(config);
    ASSERT_FALSE(options.ok()) << host;
    EXPECT_EQ(ExitStatus(options.status()), kExitConfig) << host;
    EXPECT_THAT(std::string(options.status().message()),
                testing::Not(testing::HasSubstr("secret")));
  }
  EXPECT_FALSE(FromConfig(config::ElasticConfig()).ok());
}

TEST(FromConfigTest, AnApiKeyIsTakenInBothForms) {
  config::ElasticConfig config;
  config.hosts = {"x"};
  config.api_key = config::Secret("id:key");
  EXPECT_EQ(FromConfig(config)->endpoint.authorization.reveal(), "ApiKey aWQ6a2V5");
  config.api_key = config::Secret("aWQ6a2V5");
  EXPECT_EQ(FromConfig(config)->endpoint.authorization.reveal(), "ApiKey aWQ6a2V5");
}

TEST(FromConfigTest, UserPasswordAndTlsArePassedOn) {
  config::ElasticConfig config;
  config.hosts = {"x"};
  config.username = "u";
  config.password = config::Secret("p");
  const http::TestAuthority authority;
  config.ca_file = authority.certificate_file();
  config.ca_fingerprint = "ab";
  config.insecure_skip_verify = true;
  config.proxy = "http://proxy";
  const auto options = FromConfig(config);
  ASSERT_OK(options);
  EXPECT_EQ(options->endpoint.authorization.reveal(), "Basic dTpw");
  EXPECT_EQ(options->endpoint.ca_file, authority.certificate_file());
  config.ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(ExitStatus(FromConfig(config).status()), kExitConfig);
  EXPECT_EQ(options->endpoint.ca_fingerprint_sha256, "ab");
  EXPECT_TRUE(options->endpoint.insecure_skip_verify);
  EXPECT_EQ(options->endpoint.proxy, "http://proxy");
}

TEST(SearchesTest, PatternsOnceAndFiltersForAllOrNone) {
  config::ElasticConfig config;
  config.searches.resize(3);
  config.searches[0].indices = {"a-*", "b"};
  config.searches[1].indices = {"a-*"};
  config.searches[2].indices = {"c", "b"};
  EXPECT_THAT(IndexPatterns(config), ElementsAre("a-*", "b", "c"));
  EXPECT_THAT(FiltersFromConfig(config), IsEmpty());
  config.searches[1].search_term = "{}";
  const std::vector<SearchFilter> filters = FiltersFromConfig(config);
  ASSERT_EQ(filters.size(), 3u);
  EXPECT_EQ(filters[0].clause, "");
  EXPECT_EQ(filters[1].clause, "{}");
  EXPECT_EQ(filters[1].name, "1");
}

}  // namespace
}  // namespace nightjar::es_reader
