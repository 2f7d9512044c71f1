#include "services/scorer/scope/scope.h"

#include "gtest/gtest.h"
#include "services/common/status/check.h"

namespace nightjar::scorer {
namespace {

using config::EngineKind;
using telemetry::v1::Event;

constexpr char kGroups[] = R"(
groups:
  office:
    in_scope: [10.1.0.0/16]
    out_scope: [10.1.9.0/24]
    trusted_domains: ["*.corp.example", "intra.example"]
    trusted_ips: [10.0.0.0/8, 198.51.100.0/24]
  lab:
    in_scope: [10.1.5.0/24, 10.2.0.0/16]
    trusted_domains: ["lab.example"]
  v6:
    in_scope: ["fd00::/8"]
)";

Scope MakeScope(const std::string& yaml, EngineKind kind) {
  auto root = config::YamlNode::Parse(yaml, "scope.yml");
  CHECK(root.ok());
  auto groups = scope::ParseGroups(*root);
  CHECK(groups.ok());
  return Scope(*std::move(groups), kind);
}

Event Flow(const std::string& source, const std::string& destination) {
  Event event;
  event.set_source_ip(source);
  event.set_destination_ip(destination);
  event.mutable_ip();
  return event;
}

Event Dns(const std::string& source, const std::string& query,
          const std::string& server = "10.1.0.53") {
  Event event = Flow(source, server);
  event.mutable_dns()->set_query(query);
  return event;
}

Event Http(const std::string& source, const std::string& url,
           const std::string& server = "203.0.113.1") {
  Event event = Flow(source, server);
  event.mutable_http()->set_url(url);
  return event;
}

Event Tls(const std::string& source, const std::string& destination, const std::string& name = "") {
  Event event = Flow(source, destination);
  event.mutable_tls()->set_server_name(name);
  return event;
}

struct Case {
  const char* promise;
  Event event;
  const char* filtered;
  bool trusted = false;
};

void Check(const Scope& scope, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const ScopeDecision decision = scope.Decide(signals::Facts(c.event));
    EXPECT_EQ(decision.filtered, c.filtered) << c.promise;
    EXPECT_EQ(decision.trusted, c.trusted) << c.promise;
  }
}

TEST(ScopeTest, KindAlphasocDecidesAsNfrDoes) {
  Check(
      MakeScope(kGroups, EngineKind::kAlphaSoc),
      {
          {"a source in some in_scope is sent", Flow("10.1.1.1", "203.0.113.1"), ""},
          {"any of the groups may match", Flow("10.2.1.1", "203.0.113.1"), ""},
          {"IPv6 sources match too", Flow("fd00::7", "2001:db8::1"), ""},
          {"a source in no in_scope is not", Flow("10.3.1.1", "203.0.113.1"), "not_in_scope"},
          {"the destination does not count", Flow("203.0.113.1", "10.1.1.1"), "not_in_scope"},
          {"a source in out_scope is excluded", Flow("10.1.9.1", "203.0.113.1"), "excluded"},
          {"a destination in trusted_ips is not sent", Flow("10.1.1.1", "198.51.100.9"),
           "trusted_ip"},
          {"so is one inside", Flow("10.1.1.1", "10.1.1.2"), "trusted_ip"},
          {"one matching group that excludes is enough", Flow("10.1.5.1", "198.51.100.9"),
           "trusted_ip"},
          {"a group that does not match excludes nothing", Flow("10.2.1.1", "198.51.100.9"), ""},
          {"dns: the server is ignored", Dns("10.1.1.1", "www.example.com", "198.51.100.9"), ""},
          {"dns: the source decides", Dns("10.3.1.1", "www.example.com"), "not_in_scope"},
          {"dns: out_scope holds", Dns("10.1.9.1", "www.example.com"), "excluded"},
          {"dns: exact trusted domain", Dns("10.1.1.1", "intra.example"), "trusted_domain"},
          {"dns: exact means not below", Dns("10.1.1.1", "a.intra.example"), ""},
          {"dns: *.x is x", Dns("10.1.1.1", "corp.example"), "trusted_domain"},
          {"dns: *.x is everything below x", Dns("10.1.1.1", "a.b.corp.example"), "trusted_domain"},
          {"dns: but no namesake", Dns("10.1.1.1", "xcorp.example"), ""},
          {"dns: the case of the query does not matter", Dns("10.1.1.1", "A.Corp.EXAMPLE"),
           "trusted_domain"},
          {"dns: a final dot does not matter", Dns("10.1.1.1", "a.corp.example."),
           "trusted_domain"},
          {"dns: any matching group trusts", Dns("10.1.5.1", "lab.example"), "trusted_domain"},
          {"dns: groups that do not match trust nothing", Dns("10.1.1.1", "lab.example"), ""},
          {"dns: what is no host name is not tested", Dns("10.1.1.1", "b@d.corp.example"), ""},
          {"dns: the root is sent", Dns("10.1.1.1", "."), ""},
          {"http: the host of the URL decides", Http("10.1.1.1", "http://a.corp.example:8080/x"),
           "trusted_domain"},
          {"http: without a scheme too", Http("10.1.1.1", "a.corp.example/x"), "trusted_domain"},
          {"http: no host, no test", Http("10.1.1.1", "/x?to=a.corp.example"), ""},
          {"http: the destination is ignored",
           Http("10.1.1.1", "http://www.example.com/", "198.51.100.9"), ""},
          {"http: the user part is not the host",
           Http("10.1.1.1", "http://a.corp.example@evil.example/"), ""},
          {"http: out_scope holds", Http("10.1.9.1", "http://www.example.com/"), "excluded"},
          {"tls: as a flow", Tls("10.1.1.1", "203.0.113.1"), ""},
          {"tls: trusted_ips hold", Tls("10.1.1.1", "198.51.100.9"), "trusted_ip"},
          {"tls: trusted domains do not", Tls("10.1.1.1", "203.0.113.1", "a.corp.example"), ""},
      });
}

TEST(ScopeTest, KindNightjarKeepsAndMarksWhatIsTrusted) {
  Check(MakeScope(kGroups, EngineKind::kNightjar),
        {
            {"inside to inside is kept", Flow("10.1.1.1", "10.1.1.2"), "", true},
            {"a trusted destination is kept", Flow("10.1.1.1", "198.51.100.9"), "", true},
            {"others are not marked", Flow("10.1.1.1", "203.0.113.1"), "", false},
            {"a trusted domain is kept", Dns("10.1.1.1", "a.corp.example"), "", true},
            {"traffic from outside is decided by its destination", Flow("203.0.113.1", "10.2.1.1"),
             "", false},
            {"of out_scope too", Flow("203.0.113.1", "10.1.9.1"), "excluded"},
            {"outside to outside is not ours", Flow("203.0.113.1", "203.0.113.2"), "not_in_scope"},
            {"an excluded source stays excluded", Flow("10.1.9.1", "10.2.1.1"), "excluded"},
            {"a query from outside to a server of ours",
             Dns("203.0.113.1", "www.example.com", "10.2.0.53"), ""},
        });
}

TEST(ScopeTest, WithoutGroupsEverythingIsSent) {
  for (const EngineKind kind : {EngineKind::kAlphaSoc, EngineKind::kNightjar}) {
    Check(MakeScope("groups:\n", kind), {{"anything", Flow("203.0.113.1", "203.0.113.2"), ""}});
  }
}

TEST(ScopeTest, AnEmptyInScopeIsEverySourceButOutScopeHolds) {
  Check(MakeScope("groups: {all: {out_scope: [203.0.113.0/24]}}", EngineKind::kAlphaSoc),
        {{"IPv4", Flow("198.51.100.1", "203.0.113.2"), ""},
         {"IPv6", Flow("2001:db8::1", "203.0.113.2"), ""},
         {"out", Flow("203.0.113.1", "198.51.100.2"), "excluded"}});
}

TEST(ScopeTest, TheOrderOfGroupsDoesNotMatter) {
  const char* kYamls[] = {
      "groups: {a: {in_scope: [10.0.0.0/8]}, b: {in_scope: [10.1.0.0/16], out_scope: "
      "[10.1.0.0/16]}}",
      "groups: {b: {in_scope: [10.1.0.0/16], out_scope: [10.1.0.0/16]}, a: {in_scope: "
      "[10.0.0.0/8]}}"};
  for (const char* yaml : kYamls) {
    Check(MakeScope(yaml, EngineKind::kAlphaSoc),
          {{"excluded by one", Flow("10.1.1.1", "203.0.113.1"), "excluded"},
           {"matched by the other", Flow("10.2.1.1", "203.0.113.1"), ""}});
  }
}

TEST(ScopeTest, TheDefaultGroupSendsWhatLeavesTheHouse) {
  Check(Scope(scope::DefaultGroups(), EngineKind::kAlphaSoc),
        {{"out", Flow("192.168.1.5", "203.0.113.1"), ""},
         {"inside", Flow("192.168.1.5", "192.168.1.6"), "trusted_ip"},
         {"multicast", Flow("10.0.0.1", "224.0.0.251"), "trusted_ip"},
         {"from outside", Flow("203.0.113.1", "10.0.0.1"), "not_in_scope"},
         {"a local name", Dns("10.0.0.1", "printer.local"), "trusted_domain"},
         {"a reverse look-up", Dns("10.0.0.1", "1.0.0.10.in-addr.arpa"), "trusted_domain"}});
}

}  // namespace
}  // namespace nightjar::scorer
