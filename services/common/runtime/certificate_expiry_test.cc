#include "services/common/runtime/certificate_expiry.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::runtime {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

// A certificate that ends `days` from now.
std::string MakeCertificate(const std::string& name, int days) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  const std::string command = absl::StrCat(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=", name,
      " -days ", days, " -keyout /dev/null -out ", path, " 2>/dev/null");
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  return path;
}

std::string Content(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

std::string Write(const std::string& name, const std::string& content) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  std::ofstream(path) << content;
  return path;
}

TEST(CertificateExpiryTest, TheEarliestEndOfAChainCounts) {
  const absl::Time before = absl::FromTimeT(std::time(nullptr));
  const std::string chain = Content(MakeCertificate("leaf.crt", 30)) +
                            Content(MakeCertificate("middle.crt", 3)) +
                            Content(MakeCertificate("root.crt", 300));
  const auto expiry = CertificateExpiry(Write("chain.crt", chain));
  ASSERT_OK(expiry);
  EXPECT_THAT(*expiry - before, AllOf(Ge(absl::Hours(72)), Le(absl::Hours(72) + absl::Minutes(5))));
}

TEST(CertificateExpiryTest, AFileWithoutACertificateIsNotAFileThatNeverExpires) {
  EXPECT_THAT(CertificateExpiry(Write("empty.crt", "")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds no certificate")));
  EXPECT_THAT(CertificateExpiry("/nonexistent/tls.crt"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/tls.crt")));
}

TEST(CertificateExpiryTest, AFileCutShortIsSaid) {
  const std::string whole = Content(MakeCertificate("whole.crt", 30));
  const std::string cut = whole + whole.substr(0, whole.size() / 2);
  EXPECT_THAT(CertificateExpiry(Write("cut.crt", cut)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is damaged")));
}

}  // namespace
}  // namespace nightjar::runtime
