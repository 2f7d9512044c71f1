#include "services/common/runtime/listen_address.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(ListenAddressTest, NamesAndBothFamiliesAreRead) {
  for (const char* text : {"127.0.0.1:7402", "localhost:0", "0.0.0.0:65535", "[::1]:7402"}) {
    const auto address = ParseListenAddress(text);
    ASSERT_OK(address);
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(ParseListenAddress("[::1]:7402")->host, "::1");
  EXPECT_EQ(ParseListenAddress("[::1]:7402")->port, 7402);
}

TEST(ListenAddressTest, AnythingElseIsRefusedWithWhatIsWrong) {
  const auto problem = [](const char* text) {
    const absl::Status status = ParseListenAddress(text).status();
    EXPECT_EQ(ExitStatus(status), kExitConfig);
    return std::string(status.message());
  };
  EXPECT_THAT(problem(""), HasSubstr("no port"));
  EXPECT_THAT(problem("127.0.0.1"), HasSubstr("\"127.0.0.1\": no port"));
  EXPECT_THAT(problem(":7402"), HasSubstr("no host"));
  EXPECT_THAT(problem("[]:7402"), HasSubstr("no host"));
  EXPECT_THAT(problem("host:"), HasSubstr("not a number from 0 to 65535"));
  EXPECT_THAT(problem("host:65536"), HasSubstr("not a number from 0 to 65535"));
  EXPECT_THAT(problem("host:-1"), HasSubstr("not a number from 0 to 65535"));
  EXPECT_THAT(problem("host:70x"), HasSubstr("not a number from 0 to 65535"));
  EXPECT_THAT(problem("::1:7402"), HasSubstr("IPv6 without brackets"));
}

TEST(ListenAddressTest, ErrorSaysWhyTheSystemRefuses) {
  const absl::Status status = CheckCanListen({"192.0.2.1", 7402}, "gRPC");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("192.0.2.1:7402 for gRPC"),
                                     HasSubstr("Cannot assign requested address"))));
  EXPECT_EQ(ExitStatus(status), kExitConfig);
  EXPECT_OK(CheckCanListen({"127.0.0.1", 0}, "gRPC"));
}

}  // namespace
}  // namespace nightjar::runtime
