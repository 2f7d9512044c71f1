#include "services/common/http/ca_file.h"

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/http/test_certificates.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::http {
namespace {

TEST(CaFileTest, AnAuthorityOrNoneIsFine) {
  const TestAuthority authority;
  EXPECT_OK(CheckCaFile("engine.ca_file", authority.certificate_file()));
  EXPECT_OK(CheckCaFile("engine.ca_file", ""));
}

TEST(CaFileTest, AnythingElseIsAConfigurationErrorThatNamesTheFile) {
  const TestAuthority authority;
  const std::string text = testing::TempDir() + "/text.pem";
  std::ofstream(text) << "no certificate\n";
  const std::string key = authority.Issue("DNS:localhost").key_file;
  for (const std::string& path :
       {text, key, std::string("/nonexistent/ca.crt"), std::string("/")}) {
    const absl::Status status = CheckCaFile("engine.ca_file", path);
    EXPECT_EQ(ExitStatus(status), kExitConfig) << path;
    EXPECT_THAT(std::string(status.message()),
                testing::StartsWith("engine.ca_file: " + path + " holds no certificate"));
  }
}

}  // namespace
}  // namespace nightjar::http
