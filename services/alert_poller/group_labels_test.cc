#include "services/alert_poller/group_labels.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/config/yaml.h"
#include "services/common/status/check.h"

namespace nightjar::alert_poller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> LabelsOf(const std::string& source) {
  const auto root = config::YamlNode::Parse(R"(
groups:
  office: {label: The office, in_scope: [10.1.0.0/16], out_scope: [10.1.9.0/24]}
  lab: {in_scope: [10.1.5.0/24]}
  everything: {label: All}
)",
                                            "scope.yml");
  CHECK(root.ok());
  const auto groups = scope::ParseGroups(*root);
  CHECK(groups.ok());
  alerts::v1::Alert alert;
  alert.mutable_event()->set_source_ip(source);
  alert.add_groups()->set_label("of an earlier life");
  LabelGroups(*groups, &alert);
  std::vector<std::string> labels;
  for (const auto& group : alert.groups()) {
    labels.push_back(group.label() + "/" + group.description());
  }
  return labels;
}

TEST(GroupLabelsTest, EveryGroupThatHasTheSourceIsNamed) {
  EXPECT_THAT(LabelsOf("10.1.5.7"), ElementsAre("office/The office", "lab/", "everything/All"));
}

TEST(GroupLabelsTest, AGroupThatExcludesTheSourceIsNot) {
  EXPECT_THAT(LabelsOf("10.1.9.1"), ElementsAre("everything/All"));
}

TEST(GroupLabelsTest, WithoutASourceThereIsNone) {
  EXPECT_THAT(LabelsOf(""), IsEmpty());
  EXPECT_THAT(LabelsOf("pc-7"), IsEmpty());
}

}  // namespace
}  // namespace nightjar::alert_poller
