#include "services/analytics_engine/detectors/port_scan.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::analytics_engine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kNow = 1'764'000'000;  // seconds

enum class Reply { kNone, kReset, kAnswer, kNotCounted, kNotYet };

class PortScanTest : public ::testing::Test {
 protected:
  std::vector<Finding> Contact(const std::string& destination, uint32_t port, Reply reply,
                               int64_t seconds, const char* transport = "tcp",
                               uint32_t source_port = 50'000) {
    telemetry::v1::Event event;
    event.set_source_ip("10.0.0.1");
    event.set_source_port(source_port);
    event.set_destination_ip(destination);
    event.set_destination_port(port);
    event.set_document_id(absl::StrCat("doc-", ++documents_));
    auto* ip = event.mutable_ip();
    ip->set_transport(transport);
    ip->set_state(reply == Reply::kNotYet ? telemetry::v1::FLOW_STATE_INTERIM
                                          : telemetry::v1::FLOW_STATE_FINAL);
    if (reply != Reply::kNotCounted) {
      ip->set_packets_out(3);
      ip->set_bytes_out(180);
    }
    if (reply == Reply::kReset) {
      ip->set_packets_in(1);
      ip->set_bytes_in(60);
    } else if (reply == Reply::kAnswer) {
      ip->set_packets_in(8);
      ip->set_bytes_in(4000);
    }
    const signals::Facts facts(event);
    std::vector<Finding> findings;
    scan_.Evaluate(facts, Source(*facts.source, ""), seconds, "index", &findings);
    return findings;
  }

 private:
  metrics::Metrics metrics_;
  Folding folding_{metrics_};
  PortScan scan_{folding_, metrics_};
  int documents_ = 0;
};

void Append(std::vector<Finding> more, std::vector<Finding>* all) {
  for (Finding& finding : more) all->push_back(std::move(finding));
}

TEST_F(PortScanTest, TwentyFailedContactsAreAScan) {
  std::vector<Finding> all;
  for (int i = 0; i < 20; ++i) {
    const Reply reply = i % 2 == 0 ? Reply::kNone : Reply::kReset;
    EXPECT_THAT(all, IsEmpty());
    Append(Contact(absl::StrCat("203.0.113.", i), 22, reply, kNow + i), &all);
  }
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].threat, "outbound_port_scan");
  EXPECT_EQ(all[0].severity, 4);
  EXPECT_EQ(all[0].detection, "port_scan");
  EXPECT_EQ(all[0].evidence.value, 20);
  EXPECT_EQ(all[0].evidence.threshold, 20);
  EXPECT_THAT(all[0].evidence.measure, HasSubstr("20 of 20, at 20 addresses and 1 ports"));
  ASSERT_THAT(all[0].evidence.samples, SizeIs(5));
  EXPECT_EQ(all[0].evidence.samples.back().document_id, "doc-20");
}

// Thirty contacts over a day were missed by a rule that only looked at a quarter of an hour.
TEST_F(PortScanTest, ASlowScanIsFoundToo) {
  std::vector<Finding> all;
  for (int i = 0; i < 30; ++i) {
    Append(Contact(absl::StrCat("203.0.113.", i), 445, Reply::kNone, kNow + i * 1800), &all);
  }
  EXPECT_THAT(all, SizeIs(1));
}

TEST_F(PortScanTest, ALongScanIsOneAlertAnHour) {
  std::vector<Finding> all;
  for (int i = 0; i < 7200; ++i) {
    Append(Contact(absl::StrCat("198.18.", i / 250, ".", i % 250), 22, Reply::kNone, kNow + i),
           &all);
  }
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_GT(all[1].count, 100);
}

TEST_F(PortScanTest, FailuresAmongAnswersAreNone) {
  std::vector<Finding> all;
  for (int i = 0; i < 200; ++i) {
    const Reply reply = i % 3 == 0 ? Reply::kNone : Reply::kAnswer;
    // Far apart: no two in one network.
    Append(Contact(absl::StrCat("20.", i, ".7.7"), 22, reply, kNow + i), &all);
  }
  EXPECT_THAT(all, IsEmpty());
}

TEST_F(PortScanTest, TheSameFailureAgainIsNoSecondOne) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_THAT(Contact(absl::StrCat("203.0.113.", i % 10), 22, Reply::kNone, kNow + i), IsEmpty());
  }
}

// A machine without a way to the Internet tries its updates and telemetry all day.
TEST_F(PortScanTest, UnreachableWebServersAreNone) {
  for (int i = 0; i < 250; ++i) {
    const std::string server = absl::StrCat("20.", i, ".7.7");
    EXPECT_THAT(Contact(server, 443, Reply::kNone, kNow + i * 300), IsEmpty());
    EXPECT_THAT(Contact(server, 80, Reply::kNone, kNow + i * 300), IsEmpty());
  }
}

TEST_F(PortScanTest, UnreachablePeersAtPortsOfTheirOwnAreNone) {
  for (int i = 0; i < 250; ++i) {
    EXPECT_THAT(Contact(absl::StrCat("20.", i, ".7.7"), 20'000 + i * 37, Reply::kNone, kNow + i),
                IsEmpty());
  }
}

TEST_F(PortScanTest, AFlowIsJudgedByItsLastReport) {
  for (int i = 0; i < 50; ++i) {
    const std::string server = absl::StrCat("20.", i, ".7.7");
    EXPECT_THAT(Contact(server, 22, Reply::kNotYet, kNow + i), IsEmpty());
    EXPECT_THAT(Contact(server, 22, Reply::kAnswer, kNow + i), IsEmpty());
  }
}

TEST_F(PortScanTest, FiftyPortsOfOneAddressInAMinuteAreAScanWhateverTheOutcome) {
  std::vector<Finding> all;
  for (uint32_t i = 0; i < 50; ++i) {
    Append(Contact("192.168.1.9", 2000 + i, Reply::kNotCounted, kNow + i), &all);
  }
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_THAT(all[0].evidence.measure, HasSubstr("ports of 192.168.1.9"));
  EXPECT_EQ(all[0].evidence.value, 50);
}

TEST_F(PortScanTest, FiftyPortsOverHoursAreNone) {
  for (uint32_t i = 0; i < 200; ++i) {
    EXPECT_THAT(Contact("192.168.1.9", 2000 + i, Reply::kAnswer, kNow + i * 60), IsEmpty());
  }
}

TEST_F(PortScanTest, ASweepOfANetworkIsAScanWhateverTheOutcome) {
  std::vector<Finding> all;
  for (int i = 0; i < 25; ++i) {
    Append(Contact(absl::StrCat("192.168.1.", i), 445, Reply::kAnswer, kNow + i * 30), &all);
  }
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_THAT(all[0].evidence.measure, HasSubstr("addresses in 192.168.0.0/20 tried at tcp/445"));
}

TEST_F(PortScanTest, ASweepOfAnIpv6NetworkIsAScan) {
  std::vector<Finding> all;
  for (int i = 1; i <= 25; ++i) {
    Append(Contact(absl::StrCat("2001:db8:7:", i, "::9"), 22, Reply::kAnswer, kNow + i), &all);
  }
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_THAT(all[0].evidence.measure, HasSubstr("2001:db8:7::/48"));
}

TEST_F(PortScanTest, ContentNetworksAreNoSweepButDeadWebServersAre) {
  std::vector<Finding> all;
  for (int i = 0; i < 200; ++i) {
    EXPECT_THAT(Contact(absl::StrCat("203.0.113.", i), 443, Reply::kAnswer, kNow + i), IsEmpty());
  }
  for (int i = 0; i < 100; ++i) {
    Append(Contact(absl::StrCat("198.51.100.", i), 443, Reply::kNone, kNow + i), &all);
  }
  EXPECT_THAT(all, SizeIs(1));
}

TEST_F(PortScanTest, AnswersTakenForRequestsAndOtherTransportsAreNone) {
  for (uint32_t i = 0; i < 200; ++i) {
    EXPECT_THAT(Contact("10.0.0.7", 40'000 + i, Reply::kNone, kNow, "tcp", 443), IsEmpty());
    EXPECT_THAT(Contact("10.0.0.7", 2000 + i, Reply::kNone, kNow, "udp"), IsEmpty());
  }
}

}  // namespace
}  // namespace nightjar::analytics_engine
