#include "services/scorer/config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::scorer {
namespace {

using Emit = config::FlowsConfig::Emit;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ConfigTest, WhichFlowsLeaveDependsOnTheEngineUnlessSet) {
  config::Config config;
  ASSERT_OK(FromConfig(config));
  EXPECT_EQ(FromConfig(config)->emit, Emit::kFinalAndLong);
  config.engine.kind = config::EngineKind::kNightjar;
  EXPECT_EQ(FromConfig(config)->emit, Emit::kAll);
  config.flows.emit = Emit::kFinal;
  EXPECT_EQ(FromConfig(config)->emit, Emit::kFinal);
}

TEST(ConfigTest, TakesListsAndForwarders) {
  config::Config config;
  config.scoring.lists.push_back({"mine", "/etc/mine.txt", 70, 1});
  config.services.ae_forwarder.addresses = {"a:1", "b:1"};
  const auto scorer = FromConfig(config);
  ASSERT_OK(scorer);
  ASSERT_EQ(scorer->lists.size(), 1u);
  EXPECT_EQ(scorer->lists[0].name, "mine");
  EXPECT_EQ(scorer->lists[0].path, "/etc/mine.txt");
  EXPECT_EQ(scorer->lists[0].points, 70u);
  EXPECT_THAT(scorer->forwarders, ElementsAre("a:1", "b:1"));
}

TEST(ConfigTest, NamesMustBeThereOnce) {
  config::Config config;
  config.services.ae_forwarder.addresses = {"a:1", "a:1"};
  EXPECT_THAT(FromConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a:1 stands twice")));
  config.services.ae_forwarder.addresses = {};
  EXPECT_THAT(FromConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no address")));
  config.services.ae_forwarder.addresses = {"a:1"};
  config.scoring.lists = {{"mine", "/a", 1, 1}, {"mine", "/b", 1, 2}};
  EXPECT_THAT(FromConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("mine stands twice")));
}

}  // namespace
}  // namespace nightjar::scorer
