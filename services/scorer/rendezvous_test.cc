#include "services/scorer/rendezvous.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace nightjar::scorer {
namespace {

std::string Epoch(int i) { return absl::StrCat("index-", i, "/0/history"); }

TEST(RendezvousTest, TheOrderOfNamesDoesNotMatter) {
  const std::vector<std::string> names = {"a:1", "b:1", "c:1"};
  const std::vector<std::string> turned = {"c:1", "a:1", "b:1"};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(names[ChooseOwner(names, Epoch(i))], turned[ChooseOwner(turned, Epoch(i))]);
  }
}

TEST(RendezvousTest, KeysAreSpreadOverAllNames) {
  const std::vector<std::string> names = {"a:1", "b:1", "c:1", "d:1"};
  std::vector<int> counts(names.size());
  for (int i = 0; i < 1000; ++i) ++counts[ChooseOwner(names, Epoch(i))];
  for (const int count : counts) EXPECT_GT(count, 180);
}

TEST(RendezvousTest, RemovingANameMovesOnlyItsKeys) {
  const std::vector<std::string> all = {"a:1", "b:1", "c:1"};
  const std::vector<std::string> fewer = {"a:1", "c:1"};
  for (int i = 0; i < 200; ++i) {
    const std::string& owner = all[ChooseOwner(all, Epoch(i))];
    if (owner == "b:1") continue;
    EXPECT_EQ(fewer[ChooseOwner(fewer, Epoch(i))], owner);
  }
}

}  // namespace
}  // namespace nightjar::scorer
