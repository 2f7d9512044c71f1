// alert-poller as a real process, killed again and again between an engine and its sinks.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/process.h"
#include "tests/fakes/fake_engine.h"
#include "tests/fakes/fake_syslog.h"

namespace nightjar::e2e {
namespace {

using testing::Each;
using testing::Pair;
using testing::SizeIs;

std::string PageOf(int from, int count) {
  std::string page;
  for (int i = from; i < from + count; ++i) {
    absl::StrAppend(&page, i > from ? "," : "", R"({"id":"alert-)", i,
                    R"(","eventType":"dns","event":{"ts":"2026-11-24T12:00:00Z",)"
                    R"("srcIP":"10.1.0.7","query":"x.example"},"threats":["c2"]})");
  }
  return page;
}

// The id in a line of JSON that is whole; "torn" for anything else.
std::string IdOf(const std::string& line) {
  const size_t at = line.find("\"id\":\"");
  if (!absl::StrContains(line, "{\"severity\":5,") || line.empty() || line.back() != '}' ||
      at == std::string::npos) {
    return "torn";
  }
  return line.substr(at + 6, line.find('"', at + 6) - at - 6);
}

class AlertDeliveryTest : public testing::Test {
 protected:
  AlertDeliveryTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/nfr.data") << "page-0";
    std::ofstream(folder_ + "/config.yml")
        << "engine:\n  host: " << engine_.url() << "\n  api_key: test-key\n"
        << "  alerts: {poll_interval: 5s}\ndata:\n  dir: " << folder_
        << "/data\n  file: " << folder_ << "/nfr.data\noutputs:\n  file: " << alerts_
        << "\n  syslog: {ip: 127.0.0.1, "
        << "port: " << syslog_.port() << ", proto: tcp}\n";
  }

  void Start() {
    const std::string addresses = folder_ + "/addresses";
    unlink(addresses.c_str());
    auto process =
        Process::Start({"services/alert_poller/alert-poller", "--config", folder_ + "/config.yml",
                        "--listen", "127.0.0.1:0", "--address_file", addresses},
                       folder_ + "/log");
    ASSERT_OK(process);
    process_.emplace(*std::move(process));
    ASSERT_OK(AwaitFile(addresses, absl::Seconds(30)));
  }
  void QueuePage() {
    engine_.QueueAlerts(PageOf(queued_ + 1, 100), R"("c2":{"title":"C2","severity":5})");
    queued_ += 100;
  }
  std::map<std::string, int> InFile() const {
    std::map<std::string, int> counts;
    std::ifstream file(alerts_);
    for (std::string line; std::getline(file, line);) ++counts[IdOf(line)];
    return counts;
  }
  bool AllInFile() {
    return Await(absl::Seconds(30),
                 [&] { return InFile().size() >= static_cast<size_t>(queued_); });
  }

  const std::string folder_ = testing::TempDir() + "/alert_delivery";
  const std::string alerts_ = folder_ + "/alerts.json";
  fakes::FakeEngine engine_;
  fakes::FakeSyslog syslog_;
  std::optional<Process> process_;
  int queued_ = 0;
};

TEST_F(AlertDeliveryTest, WithADeadSyslogServerTheFileHasEachAlertOnceAndSyslogGetsThemLater) {
  syslog_.Stop();
  QueuePage();
  Start();
  ASSERT_TRUE(AllInFile());
  QueuePage();  // is fetched although syslog has not taken the one before
  ASSERT_TRUE(AllInFile());
  EXPECT_THAT(InFile(), Each(Pair(testing::_, 1)));
  EXPECT_TRUE(syslog_.messages().empty());
  syslog_.Start();
  EXPECT_EQ(syslog_.Await(200), 200u);
  process_->Signal(SIGTERM);
  EXPECT_THAT(process_->Wait(absl::Seconds(25)), IsOkAndHolds(0));
  EXPECT_EQ(engine_.polls().front(), "page-0") << "NFR's bookmark";
}

TEST_F(AlertDeliveryTest, KilledTwentyTimesItLosesNoAlertAndLeavesNoTornLine) {
  constexpr int kKills = 20;
  for (int kill = 0; kill < kKills; ++kill) {
    QueuePage();
    Start();
    // At some moment of fetching, writing and saving.
    Await(absl::Milliseconds(3 * kill),
          [&] { return InFile().size() >= static_cast<size_t>(queued_); });
    process_->Kill();
  }
  Start();
  ASSERT_TRUE(AllInFile());
  const std::map<std::string, int> counts = InFile();
  EXPECT_THAT(counts, SizeIs(queued_));
  EXPECT_EQ(counts.count("torn"), 0u);
  int repeated = 0;
  for (const auto& [id, count] : counts) repeated += count - 1;
  EXPECT_LE(repeated, kKills * 100) << "at most a batch a kill";
  const auto at_syslog = [&] {
    std::map<std::string, int> ids;
    for (const std::string& message : syslog_.messages()) {
      ++ids[IdOf(message.substr(message.find('{')))];
    }
    return ids.size();
  };
  EXPECT_TRUE(Await(absl::Seconds(30), [&] { return at_syslog() >= counts.size(); }));
}

}  // namespace
}  // namespace nightjar::e2e
