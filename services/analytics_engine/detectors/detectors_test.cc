#include "services/analytics_engine/detectors/detectors.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_engine {
namespace {

using telemetry::v1::Event;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::shared_ptr<const signals::ListSet> ListOf(const std::string& name, const std::string& entry) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/", name, ".txt");
  std::ofstream(path) << entry << "\n";
  auto lists = signals::ListSet::Load({{name, path, 60}});
  EXPECT_OK(lists.status());
  return *lists;
}

Event Query(const std::string& name, const std::string& more = "source_ip: \"10.0.0.1\"") {
  Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      absl::StrCat("time_unix_nano: 1764000000000000000 document_id: \"doc\" sensor_id: \"s\" ",
                   "site: \"berlin\" dns { query: \"", name, "\" query_type: \"A\" } ", more),
      &event));
  return event;
}

class DetectorsTest : public ::testing::Test {
 protected:
  std::vector<Finding> Evaluate(const Event& event) {
    std::vector<Finding> findings;
    detectors_.Evaluate(event, "packetbeat-1", &findings);
    return findings;
  }

  metrics::Metrics metrics_;
  Detectors detectors_{{ListOf("c2", "*.evil.example"), {}}, metrics_};
};

TEST_F(DetectorsTest, AFindingLeadsToItsRecord) {
  const auto findings = Evaluate(Query("www.evil.example"));
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].threat, "c2_communication");
  EXPECT_EQ(findings[0].count, 1);
  EXPECT_THAT(findings[0].evidence.samples,
              ::testing::ElementsAre(Sample{"packetbeat-1", "doc", "s", "berlin"}));
  EXPECT_THAT(metrics_.Render(), HasSubstr("nightjar_engine_findings_total{severity=\"5\","
                                           "threat=\"c2_communication\"} 1"));
}

TEST_F(DetectorsTest, TheSameAgainIsFolded) {
  EXPECT_THAT(Evaluate(Query("www.evil.example")), SizeIs(1));
  EXPECT_THAT(Evaluate(Query("www.evil.example")), IsEmpty());
  EXPECT_THAT(Evaluate(Query("mail.evil.example")), IsEmpty());
}

TEST_F(DetectorsTest, OnlyOurOwnSourcesAreJudged) {
  EXPECT_THAT(Evaluate(Query("www.evil.example", "source_ip: \"203.0.113.7\"")), IsEmpty());
  EXPECT_THAT(Evaluate(Query("www.evil.example", "source_ip: \"not an address\"")), IsEmpty());
  EXPECT_THAT(Evaluate(Query("www.evil.example", "")), IsEmpty());
  EXPECT_THAT(Evaluate(Query("www.evil.example", "source_ip: \"10.0.0.1\" reversed: true")),
              IsEmpty());
  EXPECT_THAT(Evaluate(Query("www.evil.example", "source_ip: \"10.0.0.1\" trusted: true")),
              IsEmpty());
  EXPECT_THAT(Evaluate(Query("www.evil.example", "source_ip: \"fd00::1\"")), SizeIs(1));
}

class ResolverTest : public DetectorsTest {
 protected:
  static constexpr char kResolver[] =
      "source_ip: \"10.0.0.53\" destination_ip: \"9.9.9.9\" destination_port: 53";

  std::string Client(int number) {
    return absl::StrCat("source_ip: \"10.0.0.", number,
                        "\" destination_ip: \"10.0.0.53\" destination_port: 53");
  }
  void SetUp() override {
    for (int i = 1; i <= 3; ++i) {
      EXPECT_THAT(Evaluate(Query("www.example.com", Client(i))), IsEmpty());
    }
  }
};

TEST_F(ResolverTest, WhatItAsksForAClientIsFoundAtTheClientOnly) {
  EXPECT_THAT(Evaluate(Query("www.evil.example", Client(7))), SizeIs(1));
  EXPECT_THAT(Evaluate(Query("www.evil.example", kResolver)), IsEmpty());
  EXPECT_THAT(Evaluate(Query("www.evil.example", Client(8))), SizeIs(1));
}

TEST_F(ResolverTest, WhatNoClientWasSeenAskingIsFoundAtTheResolver) {
  EXPECT_THAT(Evaluate(Query("www.evil.example", kResolver)), SizeIs(1));
  EXPECT_THAT(Evaluate(Query("www.evil.example", kResolver)), IsEmpty());
}

TEST_F(ResolverTest, ATunnelIsTheClients) {
  std::vector<Finding> all;
  for (int i = 0; i < 50; ++i) {
    const std::string name = absl::StrCat("a-chunk-of-somebodys-data-", i, ".other.com");
    for (Finding& finding : Evaluate(Query(name, Client(2)))) all.push_back(std::move(finding));
    EXPECT_THAT(Evaluate(Query(name, kResolver)), IsEmpty());
  }
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].threat, "multiple_long_hostnames");
  EXPECT_THAT(metrics_.Render(),
              HasSubstr("nightjar_engine_dns_tunnel_skipped_total{reason=\"resolver\"} 50"));
}

TEST_F(DetectorsTest, ScansOfTrustedNetworksAreFound) {
  std::vector<Finding> all;
  for (int i = 0; i < 20; ++i) {
    Event event = Query("");
    event.set_trusted(true);
    event.set_destination_ip(absl::StrCat("10.1.0.", i));
    event.set_destination_port(445);
    event.mutable_ip()->set_transport("tcp");
    event.mutable_ip()->set_packets_out(1);
    for (Finding& finding : Evaluate(event)) all.push_back(std::move(finding));
  }
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].threat, "outbound_port_scan");
}

TEST_F(DetectorsTest, AnEventWithoutATimeTakesThatOfTheOneBefore) {
  EXPECT_THAT(Evaluate(Query("www.evil.example")), SizeIs(1));
  Event event = Query("www.evil.example");
  event.set_time_unix_nano(0);
  EXPECT_THAT(Evaluate(event), IsEmpty());
}

TEST_F(DetectorsTest, NewListsAreTakenAndMemoryStays) {
  EXPECT_THAT(Evaluate(Query("www.evil.example")), SizeIs(1));
  detectors_.SetLists(ListOf("sinkhole", "*.sink.example"));
  EXPECT_THAT(Evaluate(Query("www.evil.example", "source_ip: \"10.0.0.2\"")), IsEmpty());
  EXPECT_THAT(Evaluate(Query("www.sink.example")), SizeIs(1));
  detectors_.SetLists(ListOf("c2", "*.evil.example"));
  EXPECT_THAT(Evaluate(Query("www.evil.example")), IsEmpty());
}

TEST_F(DetectorsTest, OddEventsAreNoFindings) {
  EXPECT_THAT(Evaluate(Event()), IsEmpty());
  EXPECT_THAT(Evaluate(Query("")), IsEmpty());
  EXPECT_THAT(Evaluate(Query("...")), IsEmpty());
  EXPECT_THAT(Evaluate(Query(std::string(1000, 'a'))), IsEmpty());
  EXPECT_THAT(Evaluate(Query("\\001\\377\\000.example")), IsEmpty());
  Event event = Query("a.example");
  event.set_time_unix_nano(std::numeric_limits<int64_t>::max());
  EXPECT_THAT(Evaluate(event), IsEmpty());
  event.set_time_unix_nano(std::numeric_limits<int64_t>::min());
  EXPECT_THAT(Evaluate(event), IsEmpty());
}

}  // namespace
}  // namespace nightjar::analytics_engine
