// The tables of the README say what the code does.
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/common/signals/rules.h"

namespace nightjar::scorer {
namespace {

std::string Readme() {
  std::ifstream file("services/scorer/README.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty());
  return text.str();
}

std::string TypesOf(const signals::Rule& rule) {
  std::string types;
  const std::pair<signals::EventTypes, const char*> kNames[] = {{signals::kDns, "dns"},
                                                                {signals::kIp, "ip"},
                                                                {signals::kHttp, "http"},
                                                                {signals::kTls, "tls"},
                                                                {signals::kIcmp, "icmp"}};
  for (const auto& [type, name] : kNames) {
    if ((rule.types & type) != 0) absl::StrAppend(&types, types.empty() ? "" : " ", name);
  }
  return types;
}

TEST(ReadmeTest, EverySignalStandsInTheTable) {
  const std::string readme = Readme();
  for (const signals::Rule& rule : signals::Rules()) {
    const std::string row = absl::StrCat("| `", rule.name, "` | ", rule.points, " | ",
                                         TypesOf(rule), " | ", rule.meaning, " |\n");
    EXPECT_TRUE(absl::StrContains(readme, row)) << "missing: " << row;
  }
}

}  // namespace
}  // namespace nightjar::scorer
