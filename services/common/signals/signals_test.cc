#include "services/common/signals/signals.h"

#include <fstream>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nightjar::signals {
namespace {

using telemetry::v1::Event;
using telemetry::v1::Score;

Event Parse(const std::string& text) {
  Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

Score Evaluate(const std::string& text) {
  static const auto* set = new SignalSet(std::make_shared<ListSet>(), {});
  const Event event = Parse(text);
  Score score;
  set->Evaluate(Facts(event), &score);
  return score;
}

// "name=evidence" of every signal, strongest first.
std::vector<std::string> Signals(const std::string& text) {
  std::vector<std::string> names;
  const Score score = Evaluate(text);
  for (const auto& signal : score.signals())
    names.push_back(signal.name() + "=" + signal.evidence());
  return names;
}

// A TCP flow; `more` is further fields of the event.
std::string TcpTo(const std::string& address, int port, const std::string& more = "") {
  return "destination_ip: \"" + address + "\" destination_port: " + std::to_string(port) +
         " ip { transport: \"tcp\" } " + more;
}

const std::string kOutside = "destination_ip: \"203.0.113.1\" ";

struct Case {
  std::string event;
  std::vector<std::string> signals;
};

// One event per rule that has exactly its property, and close neighbours that have not.
const Case kCases[] = {
    {R"(dns { query: "www.wikipedia.org" query_type: "A" })", {}},
    {R"(dns { query: "shop.Example.TOP." })", {"bad_tld=.top"}},
    {R"(dns { query: "xjwqzkvbnhtr.com" })", {R"(random_host_name=label "xjwqzkvbnhtr")"}},
    {R"(dns { query: "xjwqzkvbnhtr.example.com" })", {}},
    {R"(dns { query: "xjwqzkvbnhtr.localdomain" })", {}},
    {R"(dns { query: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com" })",
     {"long_host_name=label of 49 characters"}},
    {R"(dns { query: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.arpa" })", {}},
    {R"(dns { query: "xn--bcher-kva.example" })", {"punycode_host=xn--bcher-kva.example"}},
    {R"(dns { query: "abcdefghijklmnop.onion" })", {"onion_name=abcdefghijklmnop.onion"}},
    {R"(dns { query: "site.onion.ws" })", {"tor_gateway=site.onion.ws"}},
    {R"(dns { query: "notonion.ws" })", {}},
    {R"(dns { query: "c23.oast.fun" })", {"oast_domain=c23.oast.fun"}},
    {R"(dns { query: "api.telegram.org" })", {"telegram_bot=api.telegram.org"}},
    {R"(dns { query: "a.example" answers { type: "A" data: "169.254.169.254" } })",
     {"metadata_answer=answer 169.254.169.254"}},
    {R"(dns { query: "a.example" query_type: "NULL" })", {"unusual_query_type=type NULL"}},
    {R"(dns { query: "a.example" query_type: "65399" })", {"unusual_query_type=type 65399"}},
    {R"(dns { query: "a.example" query_type: "65" })", {}},
    {TcpTo("203.0.113.1", 31337, "source_port: 50000"),
     {"unusual_port=tcp port 31337 at 203.0.113.1"}},
    {TcpTo("10.1.1.1", 31337), {}},
    {R"(destination_ip: "203.0.113.1" destination_port: 31337 ip { transport: "udp" })", {}},
    {TcpTo("203.0.113.1", 50123, "source_port: 443"), {}},
    {TcpTo("203.0.113.1", 31337, "reversed: true"), {}},
    {TcpTo("203.0.113.1", 443), {}},
    {TcpTo("203.0.113.1", 1389), {"ldap_to_outside=tcp port 1389 at 203.0.113.1"}},
    {TcpTo("203.0.113.1", 445), {"smb_to_outside=tcp port 445 at 203.0.113.1"}},
    {TcpTo("203.0.113.1", 6667), {"irc_port=tcp port 6667 at 203.0.113.1"}},
    {TcpTo("203.0.113.1", 3333), {"mining_port=tcp port 3333 at 203.0.113.1"}},
    {TcpTo("203.0.113.1", 23), {"cleartext_protocol=tcp port 23 at 203.0.113.1"}},
    {R"(http { url: "http://a.example/?token=%2A" url_had_secret: true })",
     {"credentials_in_url=a secret was in the URL or its referrer"}},
    {R"(http { url: "http://user:***@a.example/" })",
     {"credentials_in_url=user and password before the host"}},
    {kOutside + R"(http { url: "http://203.0.113.1/x" })", {"ip_literal_url=203.0.113.1"}},
    {R"(destination_ip: "10.0.0.1" http { url: "http://10.0.0.1/x" })", {}},
    {kOutside + R"(http { url: "http://a.example/p/Setup.EXE?x" method: "GET" })",
     {"program_download=.exe"}},
    {R"(http { url: "http://a.example/" user_agent: "Mozilla/4.0 (compatible; MSIE 6.0; x) y" })",
     {"old_user_agent=MSIE 6."}},
    {R"(http { url: "http://a.example/" user_agent: "sqlmap/1.7" })",
     {"attack_tool_user_agent=sqlmap"}},
    {R"(http { url: "http://a.example/" user_agent: "x" })", {"short_user_agent=x"}},
    {R"(http { url: "https://api.telegram.org/bot123:abc/getMe" })",
     {"telegram_bot=api.telegram.org"}},
    {R"(http { url: "https://api.telegram.org/" })", {}},
    {R"(time_unix_nano: 10 tls { not_before_unix_nano: 1 not_after_unix_nano: 9 })",
     {"expired_certificate=expired"}},
    {R"(time_unix_nano: 10 tls { not_before_unix_nano: 11 not_after_unix_nano: 20 })",
     {"expired_certificate=not yet valid"}},
    {R"(time_unix_nano: 10 tls { version: "1.3" })", {}},
    {R"(tls { issuer: "CN=a" subject: "CN=a" })", {"self_signed_certificate=CN=a"}},
    {R"(tls { version: "1.0" })", {"old_tls_version=version 1.0"}},
    {kOutside + R"(icmp { bytes_out: 256 })", {"large_icmp=256 bytes of payload"}},
    {kOutside + R"(icmp { bytes_out: 56 bytes_in: 56 })", {}},
    {R"(lease { type: "ack" })", {}},
    {R"(source_ip: "10.0.0.1")", {}},
};

TEST(SignalsTest, EachRuleFindsItsPropertyAndNothingElse) {
  for (const Case& c : kCases) EXPECT_EQ(Signals(c.event), c.signals) << c.event;
}

TEST(SignalsTest, EveryRuleHasACase) {
  std::set<std::string> seen;
  for (const Case& c : kCases) {
    for (const std::string& signal : c.signals) seen.insert(signal.substr(0, signal.find('=')));
  }
  for (const Rule& rule : Rules()) EXPECT_EQ(seen.count(rule.name), 1u) << rule.name;
}

TEST(SignalsTest, RulesAreWellFormed) {
  std::set<std::string> names;
  for (const Rule& rule : Rules()) {
    EXPECT_TRUE(names.insert(rule.name).second) << rule.name << " stands twice";
    EXPECT_GE(rule.points, 1u) << rule.name;
    EXPECT_LE(rule.points, 100u) << rule.name;
    EXPECT_NE(rule.types, 0u) << rule.name;
  }
}

TEST(SignalsTest, ValueIsTheStrongestAndAQuarterOfTheRest) {
  const Score score = Evaluate(R"(dns { query: "xjwqzkvbnhtr.top" query_type: "NULL" })");
  ASSERT_EQ(score.signals_size(), 3);
  EXPECT_EQ(score.signals(2).name(), "bad_tld");
  EXPECT_EQ(score.value(), 25u + (25 + 20) / 4);
  EXPECT_EQ(Evaluate(R"(dns { query: "www.wikipedia.org" })").value(), 0u);
}

TEST(SignalsTest, AListHitComesFirstAndTheValueIsCapped) {
  const std::string path = testing::TempDir() + "/signals_list.txt";
  std::ofstream(path) << "*.top\n";
  auto lists = ListSet::Load({{"mine", path, 98}});
  ASSERT_TRUE(lists.ok()) << lists.status();
  const SignalSet set(*lists, {});
  const Event event = Parse(R"(dns { query: "xjwqzkvbnhtr.top" })");
  Score score;
  set.Evaluate(Facts(event), &score);
  ASSERT_EQ(score.signals_size(), 3);
  EXPECT_EQ(score.signals(0).name(), "list:mine");
  EXPECT_EQ(score.signals(0).evidence(), "dns query xjwqzkvbnhtr.top matches *.top");
  EXPECT_EQ(score.value(), 100u);
}

TEST(SignalsTest, LongEvidenceIsCutBetweenCharacters) {
  std::string issuer = "x";
  for (int i = 0; i < 200; ++i) issuer += "\u00e9";
  const std::string names = "issuer: '" + issuer + "' subject: '" + issuer + "'";
  const Score score = Evaluate("tls { " + names + " }");
  ASSERT_EQ(score.signals_size(), 1);
  EXPECT_EQ(score.signals(0).evidence(), issuer.substr(0, 199));
}

TEST(SignalsTest, ConfiguredTopLevelsReplaceTheBuiltInOnes) {
  const SignalSet set(std::make_shared<ListSet>(), {"Test"});
  Score score;
  const Event listed = Parse(R"(dns { query: "a.test" })");
  set.Evaluate(Facts(listed), &score);
  EXPECT_EQ(score.value(), 20u);
  const Event built_in = Parse(R"(dns { query: "a.top" })");
  set.Evaluate(Facts(built_in), &score);
  EXPECT_EQ(score.value(), 0u);
}

}  // namespace
}  // namespace nightjar::signals
