#include "services/common/config/values.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::config {
namespace {

using ::testing::HasSubstr;

TEST(ValuesTest, DurationsAreWrittenAsInGo) {
  EXPECT_EQ(ParseDuration("30s"), absl::Seconds(30));
  EXPECT_EQ(ParseDuration("1.5h"), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("50ms"), absl::Milliseconds(50));
  EXPECT_EQ(ParseDuration("0"), absl::ZeroDuration());
  for (const char* bad : {"", "30", "abc", "-1s", "inf", "1d", "5 m", "1e400h"}) {
    EXPECT_EQ(ParseDuration(bad), std::nullopt) << bad;
  }
}

TEST(ValuesTest, SizesAreBinaryOrDecimal) {
  EXPECT_EQ(ParseSize("0"), 0u);
  EXPECT_EQ(ParseSize("65536"), 65536u);
  EXPECT_EQ(ParseSize("10B"), 10u);
  EXPECT_EQ(ParseSize("64KiB"), 65536u);
  EXPECT_EQ(ParseSize("4MiB"), 4u << 20);
  EXPECT_EQ(ParseSize("1GiB"), 1u << 30);
  EXPECT_EQ(ParseSize("2MB"), 2'000'000u);
  for (const char* bad : {"", "MiB", "-1", "+1", " 1", "1.5MiB", "1 MiB", "1XB",
                          "99999999999999TiB", "18446744073709551616"}) {
    EXPECT_EQ(ParseSize(bad), std::nullopt) << bad;
  }
}

TEST(ValuesTest, TruthHasItsYamlWords) {
  for (const char* yes : {"true", "True", "yes", "ON"}) EXPECT_EQ(ParseBool(yes), true) << yes;
  for (const char* no : {"false", "no", "off"}) EXPECT_EQ(ParseBool(no), false) << no;
  for (const char* bad : {"", "1", "0", "y", "maybe"}) EXPECT_EQ(ParseBool(bad), std::nullopt);
}

TEST(ValuesTest, EnvironmentReferencesAreFollowed) {
  setenv("NIGHTJAR_VALUES_TEST", "value\n", 1);
  EXPECT_THAT(Resolve("${env:NIGHTJAR_VALUES_TEST}"), IsOkAndHolds("value\n"));
  EXPECT_THAT(Resolve("${env:NIGHTJAR_NOT_SET}"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "environment variable NIGHTJAR_NOT_SET is not set"));
}

TEST(ValuesTest, FileReferencesLoseOneNewline) {
  const std::string path = ::testing::TempDir() + "/secret";
  std::ofstream(path) << "value\n\n";
  EXPECT_THAT(Resolve("${file:" + path + "}"), IsOkAndHolds("value\n"));
  EXPECT_THAT(Resolve("${file:/nonexistent}"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("/nonexistent: cannot be")));
  std::ofstream(path) << std::string(70'000, 'x');
  EXPECT_THAT(Resolve("${file:" + path + "}"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("larger than 65536 bytes")));
}

TEST(ValuesTest, AReferenceInsideOtherTextIsRefused) {
  for (const char* bad : {"x${env:HOME}", "${env:HOME}x", "${env:A}${env:B}", "${env:HOME"}) {
    EXPECT_TRUE(HasReference(bad)) << bad;
    EXPECT_THAT(Resolve(bad),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("must be the whole value")))
        << bad;
  }
  EXPECT_FALSE(HasReference("${HOME} $env:x {env:y}"));
}

TEST(ValuesTest, TheNearestNameIsOneThatCouldBeMeant) {
  const std::vector<std::string> names = {"hosts", "enabled", "ca_fingerprint"};
  EXPECT_EQ(Nearest("host", names), "hosts");
  EXPECT_EQ(Nearest("enalbed", names), "enabled");
  EXPECT_EQ(Nearest("cafingerprnt", names), "ca_fingerprint");
  EXPECT_EQ(Nearest("poll_interval", names), "");
  EXPECT_EQ(Nearest("x", {"ab"}), "");  // nothing of it is left
  EXPECT_EQ(Nearest(std::string(100'000, 'h'), names), "");
}

}  // namespace
}  // namespace nightjar::config
