#include "services/common/status/exit_status.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar {
namespace {

TEST(ExitStatus, EachKindOfErrorCarriesItsCode) {
  EXPECT_EQ(ExitStatus(absl::OkStatus()), 0);
  EXPECT_EQ(ExitStatus(UsageError("flag")), 64);
  EXPECT_EQ(ExitStatus(ConfigError("key")), 78);
  EXPECT_EQ(ExitStatus(FencedError("newer")), 75);
  EXPECT_EQ(ExitStatus(absl::UnavailableError("other")), 70);
}

TEST(ExitStatus, TheStatusKeepsItsMessageAndCode) {
  EXPECT_THAT(ConfigError("scope.yml:3: bad CIDR"),
              StatusIs(absl::StatusCode::kInvalidArgument, "scope.yml:3: bad CIDR"));
}

}  // namespace
}  // namespace nightjar
