#include "services/common/signals/lists.h"

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::signals {
namespace {

using telemetry::v1::Event;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

// "list: evidence" of every hit.
std::vector<std::string> Find(const ListSet& lists, const Event& event) {
  std::vector<ListSet::Hit> hits;
  lists.Find(Facts(event), &hits);
  std::vector<std::string> texts;
  for (const auto& hit : hits) texts.push_back(hit.list->name + ": " + hit.evidence);
  return texts;
}

std::shared_ptr<const ListSet> LoadOne(const std::string& text) {
  auto lists = ListSet::Load({{"bad", WriteFile("bad.txt", text), 80}});
  EXPECT_OK(lists);
  return *lists;
}

Event DnsQuery(const std::string& name) {
  Event event;
  event.mutable_dns()->set_query(name);
  return event;
}

TEST(ListsTest, EveryKindOfEntryIsFoundWithItsEvidence) {
  const auto lists = LoadOne(
      "# a comment\n\n evil.example # "
      "why\r\n*.Worse.example.\n203.0.113.9\n198.51.100.0/25\n2001:db8:1::/48\n");
  EXPECT_EQ(lists->entries(), 5u);
  EXPECT_THAT(Find(*lists, DnsQuery("Evil.Example.")), ElementsAre("bad: dns query evil.example"));
  EXPECT_THAT(Find(*lists, DnsQuery("a.b.worse.example")),
              ElementsAre("bad: dns query a.b.worse.example matches *.worse.example"));
  EXPECT_THAT(Find(*lists, DnsQuery("worse.example")),
              ElementsAre("bad: dns query worse.example matches *.worse.example"));
  Event flow;
  flow.mutable_ip();
  flow.set_destination_ip("198.51.100.127");
  EXPECT_THAT(Find(*lists, flow), ElementsAre("bad: destination 198.51.100.127"));
  Event tls;
  tls.mutable_tls()->set_server_name("evil.example");
  EXPECT_THAT(Find(*lists, tls), ElementsAre("bad: tls server name evil.example"));
  Event http;
  http.mutable_http()->set_url("http://[2001:db8:1::7]:8080/x");
  EXPECT_THAT(Find(*lists, http), ElementsAre("bad: http host 2001:db8:1::7"));
}

TEST(ListsTest, NeighboursOfEntriesAreNotFound) {
  const auto lists = LoadOne("evil.example\n*.worse.example\n198.51.100.0/25\n");
  for (const char* name : {"sub.evil.example", "xevil.example", "xworse.example", "example", ""}) {
    EXPECT_THAT(Find(*lists, DnsQuery(name)), IsEmpty()) << name;
  }
  Event flow;
  flow.mutable_ip();
  flow.set_destination_ip("198.51.100.128");
  EXPECT_THAT(Find(*lists, flow), IsEmpty());
}

TEST(ListsTest, AnswersOfADnsEventCount) {
  const auto lists = LoadOne("203.0.113.9\nevil.example\n");
  Event event = DnsQuery("innocent.example");
  auto* answer = event.mutable_dns()->add_answers();
  answer->set_type("CNAME");
  answer->set_data("evil.example.");
  EXPECT_THAT(Find(*lists, event), ElementsAre("bad: dns answer evil.example"));
  answer->set_type("A");
  answer->set_data("203.0.113.9");
  EXPECT_THAT(Find(*lists, event), ElementsAre("bad: dns answer 203.0.113.9"));
}

TEST(ListsTest, EachListSpeaksOnce) {
  auto lists = ListSet::Load({{"one", WriteFile("one.txt", "evil.example\n203.0.113.9\n"), 60},
                              {"two", WriteFile("two.txt", "*.example\n"), 30}});
  ASSERT_OK(lists);
  Event event = DnsQuery("evil.example");
  event.set_destination_ip("203.0.113.9");
  EXPECT_THAT(Find(**lists, event), ElementsAre("one: dns query evil.example",
                                                "two: dns query evil.example matches *.example"));
}

TEST(ListsTest, ABadLineIsRefusedWithFileLineAndText) {
  for (const char* line :
       {"http://evil.example/x", "10.0.0.0/33", "0.0.0.0 evil.example", "ev!l.example", "*."}) {
    const std::string path = WriteFile("wrong.txt", std::string("good.example\n") + line + "\n");
    const auto lists = ListSet::Load({{"wrong", path, 60}});
    EXPECT_THAT(lists, StatusIs(absl::StatusCode::kInvalidArgument,
                                AllOf(HasSubstr(path + ":2:"),
                                      HasSubstr(std::string("\"") + line + "\""))));
    EXPECT_EQ(ExitStatus(lists.status()), kExitConfig);
  }
}

TEST(ListsTest, AMissingFileIsNotAnEmptyList) {
  const auto lists = ListSet::Load({{"gone", "/nonexistent/list.txt", 60}});
  EXPECT_THAT(lists,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("/nonexistent/list.txt")));
}

}  // namespace
}  // namespace nightjar::signals
