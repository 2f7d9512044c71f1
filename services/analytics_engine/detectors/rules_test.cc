#include "services/analytics_engine/detectors/rules.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nightjar::analytics_engine {
namespace {

using telemetry::v1::Event;
using telemetry::v1::Score;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// `signals` with some evidence for each.
std::vector<Finding> Apply(const std::string& event_text, const std::vector<std::string>& signals) {
  Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(event_text, &event)) << event_text;
  Score score;
  for (const std::string& name : signals) {
    score.add_signals()->set_name(name);
    score.mutable_signals()->rbegin()->set_evidence("seen");
  }
  std::vector<Finding> findings;
  ApplyRules(signals::Facts(event), score, &findings);
  return findings;
}

constexpr char kDnsEvent[] = R"(source_ip: "10.0.0.1" dns { query: "WWW.Evil.example." })";
constexpr char kFlow[] =
    R"(source_ip: "10.0.0.1" destination_ip: "203.0.113.9" destination_port: 4444
       ip { transport: "tcp" bytes_in: 5000 packets_in: 9 bytes_out: 900 packets_out: 9 })";

TEST(RulesTest, AListOfAKnownNameRaisesItsThreat) {
  const auto findings = Apply(kDnsEvent, {"list:c2"});
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].threat, "c2_communication");
  EXPECT_EQ(findings[0].severity, 5);
  EXPECT_EQ(findings[0].detection, "list");
  EXPECT_EQ(findings[0].key, "evil.example");
  EXPECT_EQ(findings[0].domain, "evil.example");
  EXPECT_THAT(findings[0].flags, ElementsAre("c2"));
  EXPECT_EQ(findings[0].evidence.measure, "list:c2: seen");
}

TEST(RulesTest, AListOfAnyOtherNameIsABlocklist) {
  const auto findings = Apply(kFlow, {"list:our-own"});
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].threat, "blocklist");
  EXPECT_EQ(findings[0].severity, 3);
  EXPECT_EQ(findings[0].key, "203.0.113.9");
  EXPECT_EQ(findings[0].domain, "");
}

TEST(RulesTest, OneFindingAThreatTheMostSevereWithAllFlags) {
  const auto findings =
      Apply(kFlow, {"unusual_port", "ldap_to_outside", "irc_port", "list:c2", "list:a", "list:b"});
  ASSERT_THAT(findings, SizeIs(4));
  EXPECT_EQ(findings[0].threat, "unusual_network_port");
  EXPECT_EQ(findings[0].severity, 3);
  EXPECT_EQ(findings[0].key, "tcp/4444");
  for (const Finding& finding : findings) {
    EXPECT_THAT(finding.flags, ElementsAre("blocklist", "c2", "irc", "unusual_port"));
  }
}

TEST(RulesTest, SignalsWithoutAThreatOnlyLendTheirFlags) {
  EXPECT_THAT(Apply(kDnsEvent, {"random_host_name"}), IsEmpty());
  const auto findings = Apply(kDnsEvent, {"random_host_name", "bad_tld", "credentials_in_url"});
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].threat, "bad_tld");
  EXPECT_THAT(findings[0].flags, ElementsAre("bad_tld", "perplexing_domain"));
}

TEST(RulesTest, ANameAloneTellsLessAboutABotThanAUrl) {
  const auto by_name = Apply(R"(dns { query: "api.telegram.org" })", {"telegram_bot"});
  const auto by_url = Apply(R"(http { url: "https://api.telegram.org/bot1:x" })", {"telegram_bot"});
  ASSERT_THAT(by_name, SizeIs(1));
  ASSERT_THAT(by_url, SizeIs(1));
  EXPECT_EQ(by_name[0].severity, 2);
  EXPECT_EQ(by_url[0].severity, 4);
}

TEST(RulesTest, APortNobodyAnsweredAtWasNotUsed) {
  constexpr char kRefused[] =
      R"(destination_ip: "203.0.113.9" destination_port: 4444
         ip { transport: "tcp" bytes_in: 60 packets_in: 1 bytes_out: 60 packets_out: 1
              state: FLOW_STATE_FINAL })";
  constexpr char kNotYet[] =
      R"(destination_ip: "203.0.113.9" destination_port: 4444
         ip { transport: "tcp" bytes_out: 60 packets_out: 1 state: FLOW_STATE_INTERIM })";
  constexpr char kNotCounted[] =
      R"(destination_ip: "203.0.113.9" destination_port: 4444 ip { transport: "tcp" })";
  EXPECT_THAT(Apply(kRefused, {"unusual_port"}), IsEmpty());
  EXPECT_THAT(Apply(kNotYet, {"unusual_port"}), IsEmpty());
  EXPECT_THAT(Apply(kNotCounted, {"unusual_port"}), SizeIs(1));
  // A listed destination is worth knowing all the same.
  EXPECT_THAT(Apply(kRefused, {"list:c2"}), SizeIs(1));
}

}  // namespace
}  // namespace nightjar::analytics_engine
