// A poller and its sinks over a fake engine and a disk in memory, for their tests.
#ifndef SERVICES_ALERT_POLLER_POLLER_TESTING_H_
#define SERVICES_ALERT_POLLER_POLLER_TESTING_H_

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/alert_poller/alert_log.h"
#include "services/alert_poller/poller.h"
#include "services/alert_poller/sink_runner.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/status/status_macros.h"
#include "services/common/status/status_matchers.h"
#include "tests/fakes/fake_engine.h"

namespace nightjar::alert_poller {

inline constexpr char kFolder[] = "/state/alert_poller";

// A place that survives its writers. Thread-safe.
class FakePlace {
 public:
  void SetDead(bool dead) {
    std::lock_guard<std::mutex> lock(mutex_);
    dead_ = dead;
  }
  absl::Status Write(absl::Span<const std::string> messages) {
    std::lock_guard<std::mutex> lock(mutex_);
    ++tries_;
    if (!dead_) messages_.insert(messages_.end(), messages.begin(), messages.end());
    changed_.notify_all();
    return dead_ ? absl::UnavailableError("the fake place is dead") : absl::OkStatus();
  }
  // Waits until there are `count` messages, 30 s at most.
  size_t Await(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return messages_.size() >= count; });
    return messages_.size();
  }
  // The same for different ones.
  size_t AwaitDistinct(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto distinct = [this] {
      return std::set<std::string>(messages_.begin(), messages_.end()).size();
    };
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return distinct() >= count; });
    return distinct();
  }
  // Waits for `count` further tries to write.
  void AwaitTries(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    const int before = tries_;
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return tries_ >= before + count; });
  }
  // How often each message came.
  std::map<std::string, int> counts() const {
    std::lock_guard<std::mutex> lock(mutex_);
    std::map<std::string, int> counts;
    for (const std::string& message : messages_) ++counts[message];
    return counts;
  }
  std::vector<std::string> messages() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return messages_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool dead_ = false;
  int tries_ = 0;
  std::vector<std::string> messages_;
};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(FakePlace& place) : place_(place) {}
  absl::Status Write(absl::Span<const std::string> messages, size_t*) override {
    return place_.Write(messages);
  }
  void Reopen() override {}
  void Cancel() override {}
  std::string where() const override { return "fake"; }

 private:
  FakePlace& place_;
};

// A page of alerts with the ids "id-<from>" to "id-<from + count - 1>".
inline std::string PageOf(int from, int count) {
  std::string page;
  for (int i = from; i < from + count; ++i) {
    absl::StrAppend(&page, i > from ? "," : "", R"({"id":"id-)", i,
                    R"(","eventType":"dns","event":{"srcIP":"10.1.0.7"},"threats":["t"]})");
  }
  return page;
}

class PollerTest : public testing::Test {
 protected:
  PollerTest() {
    options_.engine.hosts = {engine_.url()};
    options_.engine.endpoint.user_agent = "nightjar/test";
    options_.engine.api_key = config::Secret("test-key");
    options_.read_api_key = [this] { return config::Secret(configured_key_); };
    options_.backoff = {absl::Milliseconds(1), absl::Milliseconds(5), absl::Seconds(5)};
    options_.state_retry_wait = absl::Milliseconds(1);
    options_.poll_interval = absl::Minutes(5);
  }
  ~PollerTest() override { life_.reset(); }

  // A new process over the state that is on disk. An error: it could not start.
  absl::Status Start(const std::vector<std::string>& sinks = {"one"}) {
    life_ = std::make_unique<Life>();
    log_options_.folder = absl::StrCat(kFolder, "/log");
    ASSIGN_OR_RETURN(life_->log, AlertLog::Open(*files_, SystemClock(), log_options_));
    for (const std::string& name : sinks) {
      SinkRunnerOptions options;
      options.folder = absl::StrCat(kFolder, "/sinks/", name);
      options.backoff = options_.backoff;
      options.state_retry_wait = absl::Milliseconds(1);
      Sink sink;
      sink.name = name;
      sink.encode = [](const alerts::v1::Alert& alert) {
        return std::vector<std::string>{alert.id()};
      };
      sink.transport = std::make_unique<FakeTransport>(places_[name]);
      ASSIGN_OR_RETURN(auto runner, SinkRunner::Open(std::move(sink), options,
                                                     {*life_->log, *files_, life_->metrics,
                                                      life_->monitor, SystemClock()}));
      life_->sinks.push_back(std::move(runner));
    }
    for (const auto& sink : life_->sinks) sink->Start();
    life_->poller = std::make_unique<Poller>(
        options_, PollerParts{*life_->log, life_->metrics, life_->monitor, SystemClock()},
        [this](absl::Span<const alerts::v1::Alert> alerts) {
          for (const auto& sink : life_->sinks) sink->UpdateSpool();
          for (const auto& alert : alerts) published_.push_back(alert.id());
        });
    return absl::OkStatus();
  }
  // The process dies, with the power.
  void Kill(uint64_t seed) {
    life_.reset();
    files_->LosePower(seed);
  }
  // Polls until the engine has no more.
  void PollAll() {
    for (int polls = 0; life_->poller->Step() < options_.poll_interval; ++polls) {
      ASSERT_LT(polls, 100) << Reason();
    }
  }
  std::string Reason() { return life_->monitor.Status().reason(); }
  void AwaitReason(const std::string& words) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (Reason().find(words) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "reason is: " << Reason();
      std::this_thread::yield();
    }
  }

  struct Life {
    Life() { monitor.SetStarted(); }
    ~Life() {
      poller.reset();
      if (log != nullptr) log->Stop();
      sinks.clear();
    }
    metrics::Metrics metrics;
    metrics::Ledger ledger{metrics, "alert-poller"};
    runtime::StageMonitor monitor{"alert-poller", ledger, SystemClock()};
    std::unique_ptr<AlertLog> log;
    std::vector<std::unique_ptr<SinkRunner>> sinks;
    std::unique_ptr<Poller> poller;
  };

  fakes::FakeEngine engine_;
  std::unique_ptr<checkpoint::FakeFileSystem> files_ =
      std::make_unique<checkpoint::FakeFileSystem>();
  std::map<std::string, FakePlace> places_;
  PollerOptions options_;
  AlertLogOptions log_options_;
  std::string configured_key_ = "test-key";  // what config.yml says by now
  std::vector<std::string> published_;
  std::unique_ptr<Life> life_;
};

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_POLLER_TESTING_H_
