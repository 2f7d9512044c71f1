#include "services/common/scope/groups.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::scope {
namespace {

using testing::HasSubstr;

absl::StatusOr<std::vector<Group>> Parse(const std::string& text) {
  auto root = config::YamlNode::Parse(text, "scope.yml");
  if (!root.ok()) return root.status();
  return ParseGroups(*root);
}

TEST(GroupsTest, ReadsEveryKey) {
  const auto groups = Parse(R"(
groups:
  office:
    label: Head office
    in_scope:
      - 10.1.0.0/16
    out_scope: [10.1.9.0/24, 10.1.8.1]
    trusted_domains: ["*.corp.example", "intra.example"]
    trusted_ips: ["203.0.113.0/24", "2001:db8::/32"]
  guests:
)");
  ASSERT_OK(groups);
  ASSERT_EQ(groups->size(), 2u);
  const Group& office = groups->at(0);
  EXPECT_EQ(office.name, "office");
  EXPECT_EQ(office.label, "Head office");
  EXPECT_FALSE(office.every_source);
  EXPECT_TRUE(office.in_scope.Contains(*network::Address::Parse("10.1.2.3")));
  EXPECT_TRUE(office.out_scope.Contains(*network::Address::Parse("10.1.8.1")));
  EXPECT_TRUE(office.trusted_domains.Contains("a.corp.example"));
  EXPECT_TRUE(office.trusted_ips.Contains(*network::Address::Parse("2001:db8::1")));
  EXPECT_TRUE(groups->at(1).every_source);
}

TEST(GroupsTest, NoGroupsIsAValidFile) {
  for (const char* text : {"", "groups:\n", "groups: {}\n"}) {
    const auto groups = Parse(text);
    ASSERT_OK(groups);
    EXPECT_TRUE(groups->empty());
  }
}

struct BadFile {
  const char* text;
  std::vector<const char*> parts;  // of the message
};

TEST(GroupsTest, ErrorsNameFileLineGroupAndWhatWasGot) {
  const BadFile kFiles[] = {
      {"groups:\n  office:\n    in_scope: [10.1.0.0/33]\n",
       {"scope.yml:3", "office", "10.1.0.0/33"}},
      {"groups:\n  office:\n    trusted_ips:\n      - 10.0.0.0/8\n      - nonsense\n",
       {"scope.yml:5", "office", "nonsense"}},
      {"groups:\n  office:\n    trusted_domains: [\"*.\"]\n", {"scope.yml:3", "office", "*."}},
      {"groups:\n  office:\n    in_scop: [10.0.0.0/8]\n", {"scope.yml:3", "office", "in_scop"}},
      {"groups:\n  office:\n    in_scope: 10.0.0.0/8\n", {"scope.yml:3", "office", "list"}},
      {"groups:\n  office:\n    in_scope: [[10.0.0.0/8]]\n", {"scope.yml:3", "office", "text"}},
      {"groups:\n  office: 7\n", {"scope.yml:2", "office", "group"}},
      {"groups:\n  office:\n    label: [a]\n", {"scope.yml:3", "office", "text"}},
      {"group:\n  office:\n", {"scope.yml", "group", "groups"}},
      {"groups: [a]\n", {"scope.yml:1", "map"}},
      {"- a\n", {"scope.yml:1", "map"}},
      {"groups: {a: {}\n", {"scope.yml"}},
  };
  for (const BadFile& file : kFiles) {
    const auto groups = Parse(file.text);
    for (const char* part : file.parts) {
      EXPECT_THAT(groups, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(part)))
          << file.text;
    }
    EXPECT_EQ(ExitStatus(groups.status()), kExitConfig) << file.text;
  }
}

TEST(GroupsTest, AMissingFileIsAnErrorThatNamesIt) {
  const absl::Status status = LoadGroups("/nonexistent/scope.yml").status();
  EXPECT_THAT(status.message(), HasSubstr("/nonexistent/scope.yml"));
  EXPECT_EQ(ExitStatus(status), kExitConfig);
}

TEST(GroupsTest, TheDefaultGroupHoldsPrivateNetworks) {
  const std::vector<Group> groups = DefaultGroups();
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].name, "default");
  EXPECT_EQ(groups[0].label, "Default");
  for (const char* ours : {"10.0.0.1", "192.168.1.1", "172.31.0.1", "fd00::1"}) {
    EXPECT_TRUE(groups[0].in_scope.Contains(*network::Address::Parse(ours))) << ours;
  }
  EXPECT_FALSE(groups[0].in_scope.Contains(*network::Address::Parse("127.0.0.1")));
  for (const char* trusted :
       {"127.0.0.1", "169.254.1.1", "224.0.0.251", "255.255.255.255", "fe80::1", "ff02::fb"}) {
    EXPECT_TRUE(groups[0].trusted_ips.Contains(*network::Address::Parse(trusted))) << trusted;
  }
  for (const char* trusted : {"a.arpa", "nas.lan", "printer.local", "x.internal"}) {
    EXPECT_TRUE(groups[0].trusted_domains.Contains(trusted)) << trusted;
  }
}

}  // namespace
}  // namespace nightjar::scope
