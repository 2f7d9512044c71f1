// A forwarder over a fake engine and a disk in memory, for its tests.
#ifndef SERVICES_AE_FORWARDER_FORWARDER_TESTING_H_
#define SERVICES_AE_FORWARDER_FORWARDER_TESTING_H_

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ae_forwarder/forwarder.h"
#include "services/ae_forwarder/forwarder_state.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/status/status_matchers.h"
#include "tests/fakes/fake_engine.h"

namespace nightjar::ae_forwarder {

inline constexpr char kFolder[] = "/state/ae_forwarder";
inline constexpr char kEpoch[] = "uuid/0/history";

// "accepted dns" or "filtered(reason) dns" -> how many.
using Counts = std::map<std::string, uint64_t>;

inline Counts CountsOf(const std::vector<telemetry::v1::OutcomeCount>& counts) {
  Counts text;
  for (const auto& count : counts) {
    const std::string reason = count.reason().empty() ? "" : absl::StrCat("(", count.reason(), ")");
    text[absl::StrCat(metrics::OutcomeName(count.outcome()), reason, " ", count.type())] +=
        count.count();
  }
  return text;
}

class ForwarderTest : public testing::Test {
 protected:
  ForwarderTest() {
    options_.engine.hosts = {engine_.url()};
    options_.engine.endpoint.user_agent = "nightjar/test";
    options_.engine.api_key = config::Secret("test-key");
    options_.engine.gzip = false;
    options_.read_api_key = [this] {
      std::lock_guard<std::mutex> lock(key_mutex_);
      return config::Secret(configured_key_);
    };
    options_.backoff = {absl::Milliseconds(2), absl::Milliseconds(20), absl::Seconds(5)};
    options_.state_retry_wait = absl::Milliseconds(1);
  }

  // A new process over the state that is on disk.
  void Start() {
    life_ = std::make_unique<Life>();
    auto state = ForwarderState::Open(files_, {kFolder, quarantine_bytes_max_});
    ASSERT_OK(state);
    life_->state = *std::move(state);
    life_->forwarder = std::make_unique<Forwarder>(
        options_, ForwarderParts{*life_->state, life_->metrics, life_->ledger, life_->monitor,
                                 SystemClock()});
    life_->forwarder->SetCreditSwitch([this](bool open) { credit_.push_back(open); });
    life_->forwarder->Start();
  }
  // The process dies, with the power.
  void Kill() {
    life_.reset();
    files_.LosePower(7);
  }

  // Events with the numbers (from, to]; each carries its number as the id that the engine counts.
  static rpc::BatchPtr Dns(int64_t from, int64_t to, uint64_t token = 1) {
    auto message = std::make_unique<rpc::BatchMessage>();
    telemetry::v1::Batch& batch = message->batch();
    batch.set_epoch(kEpoch);
    batch.set_index("packetbeat-1");
    batch.set_fencing_token(token);
    batch.set_identity(telemetry::v1::IDENTITY_SEQ_NO);
    for (int64_t number = from + 1; number <= to; ++number) {
      telemetry::v1::Event& event = *batch.add_events();
      event.set_seq_no(number);
      event.mutable_dns()->set_query(absl::StrCat("nj", number, "x.example"));
    }
    return message;
  }

  std::future<rpc::BatchResult> Send(rpc::BatchPtr batch) {
    auto promise = std::make_shared<std::promise<rpc::BatchResult>>();
    life_->forwarder->OnBatch(std::move(batch), [promise](rpc::BatchResult result) {
      promise->set_value(std::move(result));
    });
    return promise->get_future();
  }
  static rpc::BatchResult Await(std::future<rpc::BatchResult> future) {
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      ADD_FAILURE() << "no result after 30 s";
      return {absl::DeadlineExceededError("test"), {}};
    }
    return future.get();
  }
  Counts Deliver(rpc::BatchPtr batch) {
    const rpc::BatchResult result = Await(Send(std::move(batch)));
    EXPECT_OK(result.status);
    return CountsOf(result.counts);
  }

  void ConfigureKey(const std::string& key) {
    std::lock_guard<std::mutex> lock(key_mutex_);
    configured_key_ = key;
  }

  // Every id of (from, to] was accepted exactly `times`.
  void ExpectAccepted(int64_t from, int64_t to, uint32_t times = 1) {
    const auto ids = engine_.accepted_ids();
    for (int64_t id = from + 1; id <= to; ++id) {
      const auto found = ids.find(id);
      ASSERT_EQ(found == ids.end() ? 0 : found->second, times) << id;
    }
  }
  // The conservation law of this process, with nothing left in flight.
  void ExpectBooks(uint64_t read) {
    const auto books = life_->ledger.Snapshot();
    uint64_t ended = 0;
    for (const auto& count : books.ended) ended += count.count();
    EXPECT_EQ(books.read, read);
    EXPECT_EQ(ended, read);
    EXPECT_EQ(books.in_flight, 0u);
  }
  std::string Reason() { return life_->monitor.Status().reason(); }
  // Waits until the stage says so.
  void AwaitReason(const std::string& words) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (Reason().find(words) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "reason is: " << Reason();
      std::this_thread::yield();
    }
  }

  struct Life {
    Life() { monitor.SetStarted(); }
    metrics::Metrics metrics;
    metrics::Ledger ledger{metrics, "ae-forwarder"};
    runtime::StageMonitor monitor{"ae-forwarder", ledger, SystemClock()};
    std::unique_ptr<ForwarderState> state;
    std::unique_ptr<Forwarder> forwarder;
  };

  fakes::FakeEngine engine_;
  checkpoint::FakeFileSystem files_;
  ForwarderOptions options_;
  std::mutex key_mutex_;
  std::string configured_key_ = "test-key";  // what config.yml says by now
  size_t quarantine_bytes_max_ = 1 << 20;
  std::vector<bool> credit_;
  std::unique_ptr<Life> life_;
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_FORWARDER_TESTING_H_
