#include "services/analytics_engine/detectors/threats.h"

#include <string>

#include "gtest/gtest.h"
#include "services/analytics_engine/detectors/flags.h"
#include "services/analytics_engine/detectors/rules.h"

namespace nightjar::analytics_engine {
namespace {

TEST(ThreatsTest, EveryRowIsFoundByItsId) {
  for (const Threat& threat : Threats()) {
    EXPECT_EQ(FindThreat(threat.id), &threat);
    EXPECT_GE(threat.severity, 1) << threat.id;
    EXPECT_LE(threat.severity, 5) << threat.id;
    EXPECT_FALSE(threat.mitre.empty()) << threat.id;
  }
  EXPECT_EQ(FindThreat("c2"), nullptr);
  EXPECT_EQ(FindThreat(""), nullptr);
  EXPECT_EQ(FindThreat("zzz"), nullptr);
}

TEST(ThreatsTest, EveryFlagIsFoundByItsName) {
  for (const Flag& flag : Flags()) EXPECT_EQ(FindFlag(flag.name), &flag);
  EXPECT_EQ(FindFlag("no_such_flag"), nullptr);
}

TEST(ThreatsTest, RowsOfRulesNameKnownThreatsFlagsAndSignals) {
  for (const SignalRule& rule : SignalRules()) {
    bool known = false;
    for (const signals::Rule& signal : signals::Rules()) {
      known = known || signal.name == std::string(rule.signal);
    }
    EXPECT_TRUE(known) << rule.signal;
    EXPECT_TRUE(rule.threat == nullptr ? rule.severity == 0
                                       : FindThreat(rule.threat) != nullptr && rule.severity >= 1)
        << rule.signal;
    EXPECT_TRUE(rule.flag == nullptr || FindFlag(rule.flag) != nullptr) << rule.signal;
  }
  for (const ListRule& rule : ListRules()) {
    ASSERT_NE(FindThreat(rule.threat), nullptr) << rule.list;
    EXPECT_EQ(FindThreat(rule.threat)->severity, rule.severity) << rule.list;
    EXPECT_NE(FindFlag(rule.flag), nullptr) << rule.list;
  }
}

}  // namespace
}  // namespace nightjar::analytics_engine
