#include "services/common/config/yaml.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::config {
namespace {

using ::testing::HasSubstr;

YamlNode MustParse(absl::string_view text) {
  auto node = YamlNode::Parse(text, "f.yml");
  EXPECT_OK(node);
  return node.ok() ? *node : YamlNode();
}

void ExpectRefused(absl::string_view text, const std::string& message) {
  EXPECT_THAT(YamlNode::Parse(text, "f.yml"),
              StatusIs(absl::StatusCode::kInvalidArgument, message));
}

TEST(YamlTest, ValuesKnowTheirPlace) {
  const YamlNode root = MustParse("a:\n  b:\n    - x\n    - c: 1\n  d:\n");
  ASSERT_TRUE(root.is_map());
  EXPECT_EQ(root.path(), "");
  const YamlNode& a = root.entries()[0].second;
  const YamlNode& b = a.entries()[0].second;
  ASSERT_EQ(b.items().size(), 2u);
  EXPECT_EQ(b.line(), 2);
  EXPECT_EQ(b.items()[0].scalar(), "x");
  EXPECT_EQ(b.items()[0].path(), "a.b[0]");
  EXPECT_EQ(b.items()[0].line(), 3);
  EXPECT_EQ(b.items()[1].entries()[0].second.path(), "a.b[1].c");
  EXPECT_TRUE(a.entries()[1].second.is_null());
  EXPECT_EQ(a.entries()[1].second.line(), 5);
  EXPECT_EQ(b.items()[1].entries()[0].second.Error("is wrong").message(),
            "f.yml:4: a.b[1].c: is wrong");
}

TEST(YamlTest, EmptyTextAndCommentsAreAnAbsentValue) {
  EXPECT_TRUE(MustParse("").is_null());
  EXPECT_TRUE(MustParse("# nothing\n").is_null());
  EXPECT_EQ(MustParse("").Error("is wrong").message(), "f.yml:1: is wrong");
}

TEST(YamlTest, QuotedNullIsText) {
  const YamlNode root = MustParse("a: null\nb: 'null'\nc: ~\nd: \"\"\n");
  EXPECT_TRUE(root.entries()[0].second.is_null());
  EXPECT_EQ(root.entries()[1].second.scalar(), "null");
  EXPECT_TRUE(root.entries()[2].second.is_null());
  EXPECT_TRUE(root.entries()[3].second.is_scalar());
}

TEST(YamlTest, WhatIsNoPlainYamlIsRefusedWithItsPlace) {
  ExpectRefused("a: 1\nb: 2\na: 3\n", "f.yml:3:1: key \"a\" stands here a second time");
  ExpectRefused("a: &x 1\n", "f.yml:1:4: anchors are not allowed");
  ExpectRefused("a: 1\nb: *x\n", "f.yml:2:4: the referenced anchor is not defined");
  ExpectRefused("a: !!int 1\n", "f.yml:1:4: tags are not allowed");
  ExpectRefused("[1]: 1\n", "f.yml:1:1: a key must be text");
  ExpectRefused("a: 1\n---\nb: 2\n", "f.yml: more than one document (a line of \"---\")");
  ExpectRefused("a: [1\n", "f.yml:2:1: end of sequence flow not found");
}

TEST(YamlTest, ControlCharactersDoNotEndTheFileInSilence) {
  ExpectRefused("a: 1\n\x04\nb: 2\n", "f.yml:2: control character 0x04 is not allowed");
}

TEST(YamlTest, SizeDepthCountAndPathAreLimited) {
  ExpectRefused(std::string((1 << 20) + 1, ' '), "f.yml: larger than 1048576 bytes");
  EXPECT_THAT(YamlNode::Parse(std::string(65, '[') + std::string(65, ']'), "f.yml"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 64 levels")));
  std::string many = "[";
  for (int i = 0; i < 100'001; ++i) many += "1,";
  EXPECT_THAT(YamlNode::Parse(many + "]", "f.yml"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 100000 values")));
  EXPECT_THAT(YamlNode::Parse(absl::StrCat(std::string(513, 'k'), ": 1"), "f.yml"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("longer than 512 bytes")));
}

TEST(YamlTest, AFileThatCannotBeReadIsNamedWithTheReason) {
  EXPECT_THAT(YamlNode::ParseFile("/nonexistent/x.yml"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "/nonexistent/x.yml: cannot be read: No such file or directory"));
  EXPECT_THAT(YamlNode::ParseFile("/"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                 "/: cannot be read: not a regular file"));
}

}  // namespace
}  // namespace nightjar::config
