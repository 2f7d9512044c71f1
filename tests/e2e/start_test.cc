// `nightjar start`: every stage under one command, between the fakes.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/fixture.h"

namespace nightjar::e2e {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

// Whether `port` and the HTTP port that goes with it can be bound now.
bool IsFree(int port) {
  for (const int wanted : {port, port + 100}) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(wanted));
    const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    close(fd);
    if (!bound) return false;
  }
  return true;
}

std::string Content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Gone, or a corpse that nobody has collected.
bool IsGone(int pid) {
  const std::string stat = Content(absl::StrCat("/proc/", pid, "/stat"));
  return stat.empty() || absl::StrContains(stat, ") Z ");
}

class StartTest : public PipelineTest {
 protected:
  void SetUp() override {
    PipelineTest::SetUp();
    config_ = folder_ + "/config.yml";
    log_ = folder_ + "/nightjar.log";
    WriteConfig(absl::StrCat("engine: {host: \"", engine_.url(), "\", api_key: test-key}\n",
                             "outputs: {enabled: false}\n"));
  }

  // A configuration with ports of its own, and `rest`.
  void WriteConfig(const std::string& rest) {
    std::ofstream file(config_);
    file << "inputs:\n  elastic:\n    enabled: true\n    hosts: [\"" << elastic_.url()
         << "\"]\n    searches:\n";
    for (const char* type : {"dns", "ip", "http", "tls"}) {
      file << "      - {event_type: " << type << ", indices: [\"packetbeat-*\"]}\n";
    }
    file << "data: {dir: \"" << folder_ << "/data\"}\n"
         << "reader: {start: earliest, poll_interval: 200ms}\nservices:\n";
    for (const char* folder :
         {"ae_forwarder", "scorer", "es_reader", "alert_poller", "analytics_engine"}) {
      file << "  " << folder << ": {address: \"127.0.0.1:" << NextFreePort() << "\"}\n";
    }
    file << rest;
  }
  int NextFreePort() {
    do {
      ++port_;
    } while (!IsFree(port_));
    return port_;
  }
  void TearDown() override {
    if (HasFailure()) std::fprintf(stderr, "--- nightjar start\n%s\n", Content(log_).c_str());
  }

  absl::StatusOr<Process> Nightjar(std::vector<std::string> arguments, const std::string& log) {
    arguments.insert(arguments.begin(), Binaries() + "/services/cli/nightjar");
    return Process::Start(arguments, log);
  }
  absl::StatusOr<Process> Start() { return Nightjar({"start", "-c", config_}, log_); }

  // The pids of "<stage> started, pid N" so far.
  std::vector<int> Pids(const std::string& stage) const {
    std::vector<int> pids;
    for (const absl::string_view line : absl::StrSplit(Content(log_), '\n')) {
      const std::vector<absl::string_view> parts =
          absl::StrSplit(line, absl::StrCat("nightjar: ", stage, " started, pid "));
      int pid = 0;
      if (parts.size() == 2 && absl::SimpleAtoi(parts[1], &pid)) pids.push_back(pid);
    }
    return pids;
  }
  // Exit code 0 of status.
  bool EveryStageReady() {
    return Await(absl::Seconds(60), [this] { return Run({"status", "-c", config_}).second == 0; });
  }
  bool EveryStageStarted() {
    return Await(absl::Seconds(30), [this] { return !Pids("es-reader").empty(); });
  }
  std::vector<int> EveryPid() const {
    std::vector<int> all;
    for (const char* stage :
         {"ae-forwarder", "scorer", "es-reader", "alert-poller", "analytics-engine"}) {
      for (const int pid : Pids(stage)) all.push_back(pid);
    }
    return all;
  }
  bool EveryStageGone() {
    return Await(absl::Seconds(10), [this] {
      for (const int pid : EveryPid()) {
        if (!IsGone(pid)) return false;
      }
      return true;
    });
  }

  // Output of another command, and its exit code.
  std::pair<std::string, int> Run(std::vector<std::string> arguments) {
    const std::string path = absl::StrCat(folder_, "/command-", ++commands_);
    auto process = Nightjar(std::move(arguments), path);
    EXPECT_OK(process);
    const auto code = process->Wait(absl::Seconds(30));
    EXPECT_OK(code);
    return {Content(path), code.value_or(-1)};
  }

  std::string config_;
  std::string log_;
  int commands_ = 0;
  // Below the range from which the system takes ports for itself, and apart from other tests.
  int port_ = 20'000 + getpid() % 5'000;
};

TEST_F(StartTest, OneCommandDeliversEverythingAndStopsCleanly) {
  Fill(1, 2000);
  auto nightjar = Start();
  ASSERT_OK(nightjar);
  EXPECT_TRUE(Arrived(2000));
  const auto [screen, code] = Run({"status", "-c", config_});
  EXPECT_EQ(code, 0) << screen;
  EXPECT_THAT(screen, AllOf(ContainsRegex("es-reader +READY"), ContainsRegex("scorer +READY"),
                            ContainsRegex("ae-forwarder +READY"), ContainsRegex("dns +20"),
                            HasSubstr(kIndex)));
  nightjar->Signal(SIGTERM);
  EXPECT_THAT(nightjar->Wait(absl::Seconds(60)), IsOkAndHolds(0));
  EXPECT_EQ(Compare(2000).lost + Compare(2000).repeated, 0u);
  EXPECT_TRUE(EveryStageGone());
  EXPECT_EQ(EveryPid().size(), 3u);
  EXPECT_EQ(Run({"status", "-c", config_}).second, 1);  // nobody is there any more
}

TEST_F(StartTest, AKilledStageIsStartedAgainAndNothingIsLost) {
  auto nightjar = Start();
  ASSERT_OK(nightjar);
  ASSERT_TRUE(EveryStageStarted());
  Fill(1, 1000);
  EXPECT_TRUE(Arrived(1000));
  kill(Pids("scorer").front(), SIGKILL);
  Fill(1001, 2000);
  EXPECT_TRUE(Arrived(2000));
  EXPECT_EQ(Pids("scorer").size(), 2u);
  EXPECT_EQ(Pids("es-reader").size(), 1u);
  nightjar->Signal(SIGINT);
  EXPECT_THAT(nightjar->Wait(absl::Seconds(60)), IsOkAndHolds(0));
  EXPECT_EQ(Compare(2000).repeated, 0u);
  EXPECT_TRUE(EveryStageGone());
}

TEST_F(StartTest, NoStageOutlivesAKilledNightjarAndTheNextOneGoesOn) {
  auto nightjar = Start();
  ASSERT_OK(nightjar);
  Fill(1, 1000);
  EXPECT_TRUE(Arrived(1000));
  nightjar->Kill();
  EXPECT_TRUE(EveryStageGone());
  Fill(1001, 2000);
  nightjar = Start();
  ASSERT_OK(nightjar);
  EXPECT_TRUE(Arrived(2000));
  nightjar->Signal(SIGTERM);
  EXPECT_THAT(nightjar->Wait(absl::Seconds(60)), IsOkAndHolds(0));
}

TEST_F(StartTest, TapShowsEventsAsTheyPass) {
  auto nightjar = Start();
  ASSERT_OK(nightjar);
  ASSERT_TRUE(EveryStageStarted());
  ASSERT_TRUE(Await(absl::Seconds(30), [this] {
    return Run({"status", "-c", config_}).second == 0;
  }));
  const std::string lines = folder_ + "/tap";
  auto tap = Nightjar({"tap", "scorer", "-c", config_, "--type", "dns", "--count", "3"}, lines);
  ASSERT_OK(tap);
  uint64_t last = 0;
  EXPECT_TRUE(Await(absl::Seconds(30), [&] {
    Fill(last + 1, last + 20);
    last += 20;
    return !tap->Running();
  }));
  EXPECT_EQ(tap->exit_code(), 0);
  const std::string text = Content(lines);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(text, AllOf(HasSubstr("{\"index\":"), HasSubstr("\"dns\":{\"query\":\"nj")));
}

TEST_F(StartTest, AWrongConfigurationEndsItWithOneLineAndTheCodeOfTheStage) {
  std::ofstream(config_, std::ios::app) << "scope: {file: /nonexistent/scope.yml}\n";
  auto nightjar = Start();
  ASSERT_OK(nightjar);
  EXPECT_THAT(nightjar->Wait(absl::Seconds(60)), IsOkAndHolds(78));
  EXPECT_THAT(Content(log_), HasSubstr("error: scorer ended with exit code 78: "));
  EXPECT_THAT(Content(log_), HasSubstr("/nonexistent/scope.yml"));
  EXPECT_TRUE(EveryStageGone());
  const auto [text, code] = Run({"check", config_});
  EXPECT_EQ(code, 78);
  EXPECT_THAT(text, HasSubstr("/nonexistent/scope.yml"));
}

TEST_F(StartTest, AnEmptyHostComesUpWithTheEmbeddedEngineAndRaisesAlerts) {
  std::ofstream(folder_ + "/c2.txt") << "*.host.example\n";
  const std::string alerts = folder_ + "/alerts.json";
  WriteConfig(absl::StrCat(
      "engine: {host: local, alerts: {poll_interval: 5s}}\nanalytics_engine: {listen: \"127.0.0.1:",
      NextFreePort(), "\"}\noutputs: {file: \"", alerts, "\"}\n",
      "scoring: {lists: [{name: c2, file: \"", folder_, "/c2.txt\"}]}\n"));
  Fill(1, 500);
  auto nightjar = Start();
  ASSERT_OK(nightjar);
  EXPECT_TRUE(EveryStageReady()) << Run({"status", "-c", config_}).first;
  EXPECT_EQ(EveryPid().size(), 5u);
  EXPECT_TRUE(Await(absl::Seconds(30), [&] {
    return absl::StrContains(Content(alerts), "\"c2_communication\"");
  })) << Run({"status", "-c", config_}).first;
  EXPECT_THAT(Run({"account", "status", "-c", config_}).first,
              HasSubstr("Account registered: true\n"));
  EXPECT_EQ(Run({"keys", "create", "-c", config_, "--description", "site B"}).second, 0);
  EXPECT_THAT(Run({"keys", "list", "-c", config_}).first,
              ContainsRegex("valid +ingest,alerts .*site B"));
  nightjar->Signal(SIGTERM);
  EXPECT_THAT(nightjar->Wait(absl::Seconds(60)), IsOkAndHolds(0));
  EXPECT_TRUE(EveryStageGone());
}

TEST_F(StartTest, CheckAsksEachStageForWhatOnlyItKnows) {
  EXPECT_EQ(Run({"check", config_}).second, 0);
  std::string doubled = Content(config_);
  const std::string key = "ae_forwarder: {address: ";
  const size_t begin = doubled.find(key) + key.size();
  const std::string address = doubled.substr(begin, doubled.find('}', begin) - begin);
  doubled.replace(begin, address.size(), absl::StrCat("[", address, ", ", address, "]"));
  std::ofstream(config_) << doubled;
  const auto [text, code] = Run({"check", config_});
  EXPECT_EQ(code, 78) << text;
  EXPECT_THAT(text, AllOf(HasSubstr("error: scorer: "), HasSubstr("stands twice")));
}

}  // namespace
}  // namespace nightjar::e2e
