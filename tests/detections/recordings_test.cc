// What the embedded engine finds in recorded telemetry, and that it finds nothing grave in benign
// traffic.
#include <algorithm>
#include <deque>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/analytics_engine/api/event_decoder.h"
#include "services/analytics_engine/detectors/detectors.h"
#include "services/analytics_engine/detectors/flags.h"
#include "services/analytics_engine/detectors/threats.h"
#include "services/common/analytics_api/events_encoder.h"
#include "services/common/metrics/metrics.h"
#include "services/common/status/status_matchers.h"
#include "tests/detections/recording.h"

namespace nightjar::tests {
namespace {

using analytics_engine::DetectorOptions;
using analytics_engine::Detectors;
using analytics_engine::Finding;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::vector<std::string> kRecordings = {"beacon-http",
                                              "dga",
                                              "dhcp-client",
                                              "dns-tunnel-iodine",
                                              "dns-tunnel-txt",
                                              "flightsim-c2",
                                              "flightsim-dga",
                                              "flightsim-imposter",
                                              "flightsim-irc",
                                              "flightsim-miner",
                                              "flightsim-oast",
                                              "flightsim-scan",
                                              "flightsim-sink",
                                              "flightsim-ssh-transfer",
                                              "flightsim-telegram-bot",
                                              "flightsim-tunnel-dns",
                                              "flightsim-tunnel-icmp",
                                              "icmp-tunnel",
                                              "irc-login",
                                              "long-connection",
                                              "office",
                                              "plain-credentials",
                                              "port-scan",
                                              "smtp-spam",
                                              "ssh-bruteforce",
                                              "stratum",
                                              "syn-scan",
                                              "upload-443"};

using Pairs = std::set<std::pair<std::string, std::string>>;  // source, threat

// All that is of severity 4 or 5 in the recordings together.
const Pairs kGraves = {
    {"10.20.0.21", "multiple_long_hostnames"}, {"10.20.0.22", "multiple_long_hostnames"},
    {"10.20.0.25", "outbound_port_scan"},      {"10.20.0.36", "outbound_port_scan"},
    {"10.20.0.46", "imposter_domain"},         {"10.20.0.47", "c2_communication"},
    {"10.20.0.49", "outbound_port_scan"},      {"10.20.0.50", "sinkholed_destination"},
    {"10.20.0.52", "multiple_long_hostnames"}, {"10.20.0.55", "oast"},
};

struct Found {
  std::string source;
  Finding finding;
};

void PrintTo(const Found& found, std::ostream* out) {
  *out << found.source << " " << found.finding.threat << " " << found.finding.severity << " "
       << found.finding.key << ": " << found.finding.evidence.value
       << " >= " << found.finding.evidence.threshold << " " << found.finding.evidence.measure;
}

std::deque<telemetry::v1::Event> EventsOf(const std::vector<std::string>& recordings) {
  std::deque<telemetry::v1::Event> events;
  for (const std::string& recording : recordings) {
    for (telemetry::v1::Event& event : Recording(recording)) events.push_back(std::move(event));
  }
  return events;
}

std::vector<Found> DetectAmong(const std::deque<telemetry::v1::Event>& events) {
  metrics::Metrics metrics;
  DetectorOptions options;
  std::vector<signals::ListFile> files;
  for (const char* name : {"c2", "imposter", "sinkhole"}) {
    files.push_back({name, absl::StrCat("deploy/local/lists/", name, ".txt")});
  }
  auto lists = signals::ListSet::Load(files);
  EXPECT_OK(lists.status());
  options.lists = *lists;
  Detectors detectors(options, metrics);
  std::vector<Found> all;
  for (const telemetry::v1::Event& event : events) {
    std::vector<Finding> findings;
    detectors.Evaluate(event, kRecordingIndex, &findings);
    for (Finding& finding : findings) all.push_back({event.source_ip(), std::move(finding)});
  }
  return all;
}

std::vector<Found> Detect(const std::vector<std::string>& recordings) {
  return DetectAmong(EventsOf(recordings));
}

Pairs Graves(const std::vector<Found>& all) {
  Pairs graves;
  for (const Found& found : all) {
    if (found.finding.severity >= 4) graves.emplace(found.source, found.finding.threat);
  }
  return graves;
}

TEST(RecordingsTest, DnsTunnelsAreFound) {
  EXPECT_EQ(Graves(Detect({"dns-tunnel-iodine"})),
            Pairs({{"10.20.0.21", "multiple_long_hostnames"}}));
  EXPECT_EQ(Graves(Detect({"dns-tunnel-txt"})), Pairs({{"10.20.0.22", "multiple_long_hostnames"}}));
  EXPECT_EQ(Graves(Detect({"flightsim-tunnel-dns"})),
            Pairs({{"10.20.0.52", "multiple_long_hostnames"}}));
}

TEST(RecordingsTest, PortScansAreFound) {
  EXPECT_EQ(Graves(Detect({"port-scan"})), Pairs({{"10.20.0.25", "outbound_port_scan"}}));
  EXPECT_EQ(Graves(Detect({"syn-scan"})), Pairs({{"10.20.0.36", "outbound_port_scan"}}));
  EXPECT_EQ(Graves(Detect({"flightsim-scan"})), Pairs({{"10.20.0.49", "outbound_port_scan"}}));
}

TEST(RecordingsTest, ListedNamesAreFoundEachOnce) {
  const auto threats = [](const std::vector<Found>& all, const std::string& threat) {
    std::multiset<std::string> keys;
    for (const Found& found : all) {
      if (found.finding.threat == threat) keys.insert(found.finding.key);
    }
    return keys;
  };
  EXPECT_EQ(
      threats(Detect({"flightsim-c2"}), "c2_communication"),
      (std::multiset<std::string>{"c2-alpha.example", "c2-bravo.example", "c2-charlie.example",
                                  "c2-delta.example", "c2-echo.example"}));
  EXPECT_THAT(threats(Detect({"flightsim-imposter"}), "imposter_domain"), SizeIs(5));
  EXPECT_THAT(threats(Detect({"flightsim-sink"}), "sinkholed_destination"), SizeIs(5));
}

TEST(RecordingsTest, NothingGraveIsFoundInBenignTraffic) {
  EXPECT_THAT(Graves(Detect({"office", "dhcp-client"})), IsEmpty());
}

TEST(RecordingsTest, NothingGraveIsFoundWhereNoDetectionOfThisKindIsMade) {
  EXPECT_THAT(Graves(Detect({"beacon-http", "long-connection", "upload-443", "smtp-spam",
                             "irc-login", "stratum", "plain-credentials", "ssh-bruteforce"})),
              IsEmpty());
}

// As the engine gets it: everything at once, and not in the order of time, because shards and types
// of events travel on their own.
TEST(RecordingsTest, TheSameIsFoundAmongEverythingElseInAnyOrder) {
  std::deque<telemetry::v1::Event> events = EventsOf(kRecordings);
  ASSERT_GT(events.size(), 45'000);
  std::mt19937 random(11);
  for (int i = 0; i < 3; ++i) {
    std::shuffle(events.begin(), events.end(), random);
    EXPECT_EQ(Graves(DetectAmong(events)), kGraves);
  }
}

// Other clients send the plain fields of API v1: no packets, no final reports, no documents.
TEST(RecordingsTest, TheSameIsFoundInWhatOtherClientsSend) {
  std::deque<telemetry::v1::Event> events;
  analytics_engine::EventDecoder decoder;
  for (const telemetry::v1::Event& event : EventsOf(kRecordings)) {
    if (!HasPath(analytics_api::Dialect::kAlphaSoc, event.body_case())) continue;
    std::string line, index;
    AppendEventLine(analytics_api::Dialect::kAlphaSoc, "", event, &line);
    const size_t bytes = line.size();
    line.append(analytics_engine::kPaddingBytes, ' ');
    ASSERT_EQ(decoder.Decode(event.body_case(), absl::string_view(line).substr(0, bytes),
                             &events.emplace_back(), &index),
              nullptr)
        << line;
  }
  EXPECT_EQ(Graves(DetectAmong(events)), kGraves);
}

TEST(RecordingsTest, EveryFindingNamesCataloguedThreatsAndFlagsAndLeadsToItsRecords) {
  const std::vector<Found> all =
      Detect({"dns-tunnel-txt", "flightsim-scan", "flightsim-sink", "flightsim-oast", "office"});
  EXPECT_THAT(all, Not(IsEmpty()));
  for (const auto& [source, finding] : all) {
    EXPECT_NE(analytics_engine::FindThreat(finding.threat), nullptr) << finding.threat;
    for (const std::string& flag : finding.flags) {
      EXPECT_NE(analytics_engine::FindFlag(flag), nullptr) << flag;
    }
    EXPECT_THAT(finding.evidence.samples, Not(IsEmpty()));
    EXPECT_LE(finding.evidence.samples.size(), analytics_engine::kSamplesMax);
    for (const auto& sample : finding.evidence.samples) {
      EXPECT_EQ(sample.index, kRecordingIndex);
      EXPECT_NE(sample.document_id, "");
      EXPECT_NE(sample.sensor_id, "");
    }
    EXPECT_GE(finding.evidence.value, finding.evidence.threshold);
  }
}

}  // namespace
}  // namespace nightjar::tests
