#include "services/ae_forwarder/forwarder.h"

#include <cerrno>
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
#include "services/ae_forwarder/forwarder_state.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/status/status_matchers.h"
#include "tests/fakes/fake_engine.h"

namespace nightjar::ae_forwarder {
namespace {

using fakes::EngineFault;
using fakes::FakeEngine;
using telemetry::v1::Batch;
using telemetry::v1::Event;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr char kFolder[] = "/state/ae_forwarder";
constexpr char kEpoch[] = "uuid/0/history";

// "accepted dns" or "filtered(reason) dns" -> how many.
using Counts = std::map<std::string, uint64_t>;

Counts CountsOf(const std::vector<telemetry::v1::OutcomeCount>& counts) {
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
    Batch& batch = message->batch();
    batch.set_epoch(kEpoch);
    batch.set_index("packetbeat-1");
    batch.set_fencing_token(token);
    batch.set_identity(telemetry::v1::IDENTITY_SEQ_NO);
    for (int64_t number = from + 1; number <= to; ++number) {
      Event& event = *batch.add_events();
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

  FakeEngine engine_;
  checkpoint::FakeFileSystem files_;
  ForwarderOptions options_;
  std::mutex key_mutex_;
  std::string configured_key_ = "test-key";  // what config.yml says by now
  size_t quarantine_bytes_max_ = 1 << 20;
  std::vector<bool> credit_;
  std::unique_ptr<Life> life_;
};

TEST_F(ForwarderTest, ABatchIsAckedWhenTheEngineHasAllOfIt) {
  Start();
  EXPECT_THAT(Deliver(Dns(0, 100)), ElementsAre(Pair("accepted dns", 100)));
  ExpectAccepted(0, 100);
  ExpectBooks(100);
}

TEST_F(ForwarderTest, TypesGoToTheirPathsAndWhatHasNoneIsFiltered) {
  Start();
  auto batch = Dns(0, 1);
  const auto add = [&](int64_t number) -> Event& {
    Event& event = *batch->batch().add_events();
    event.set_seq_no(number);
    return event;
  };
  add(2).mutable_ip()->set_transport("tcp");
  add(3).mutable_http()->set_url("http://a/");
  add(4).mutable_tls();
  add(5).mutable_icmp();
  add(6).mutable_other()->set_dataset("redis");
  EXPECT_THAT(Deliver(std::move(batch)),
              UnorderedElementsAre(Pair("accepted dns", 1), Pair("accepted ip", 1),
                                   Pair("accepted http", 1), Pair("accepted tls", 1),
                                   Pair("filtered(icmp_transaction) icmp", 1),
                                   Pair("filtered(unsupported_type) other", 1)));
  EXPECT_THAT(engine_.stats().accepted_by_type,
              ElementsAre(Pair("dns", 1), Pair("http", 1), Pair("ip", 1), Pair("tls", 1)));
  ExpectBooks(6);
}

TEST_F(ForwarderTest, AnEmptyBatchEndsAtOnce) {
  Start();
  EXPECT_THAT(Deliver(Dns(5, 5)), IsEmpty());
  EXPECT_EQ(engine_.stats().posts, 0u);
}

TEST_F(ForwarderTest, ABacklogTravelsInFullBodies) {
  options_.body = {500, 4 << 20};
  Start();
  std::vector<std::future<rpc::BatchResult>> results;
  for (int i = 0; i < 20; ++i) results.push_back(Send(Dns(1000 * i, 1000 * (i + 1))));
  for (auto& result : results) EXPECT_OK(Await(std::move(result)).status);
  ExpectAccepted(0, 20'000);
  ExpectBooks(20'000);
  EXPECT_EQ(engine_.stats().body_events_max, 500u);
  EXPECT_LT(engine_.stats().posts, 60u);
}

TEST_F(ForwarderTest, A429IsWaitedOutWithOneRequest) {
  Start();
  engine_.FailNext(1, {EngineFault::Kind::kStatus, 429, 1, {}});
  EXPECT_THAT(Deliver(Dns(0, 10)), ElementsAre(Pair("accepted dns", 10)));
  EXPECT_EQ(engine_.stats().posts, 2u);
  ExpectAccepted(0, 10);
}

TEST_F(ForwarderTest, AStormOfErrorsLosesNothingAndRepeatsNothing) {
  options_.body = {100, 4 << 20};
  Start();
  for (int i = 0; i < 15; ++i) {
    engine_.FailNext(1, {EngineFault::Kind::kStatus, i % 3 == 0 ? 500 : 503, {}, {}});
    engine_.FailNext(1, {EngineFault::Kind::kHtml, 0, {}, {}});
    engine_.FailNext(1, {EngineFault::Kind::kSlow, 0, {}, absl::Milliseconds(1)});
  }
  std::vector<std::future<rpc::BatchResult>> results;
  for (int i = 0; i < 10; ++i) results.push_back(Send(Dns(1000 * i, 1000 * (i + 1))));
  for (auto& result : results) EXPECT_OK(Await(std::move(result)).status);
  ExpectAccepted(0, 10'000);
  ExpectBooks(10'000);
}

TEST_F(ForwarderTest, ALostReplyRepeatsThatBodyOnly) {
  options_.body = {100, 4 << 20};
  Start();
  engine_.FailNext(1, {EngineFault::Kind::kDropReply, 0, {}, {}});
  EXPECT_THAT(Deliver(Dns(0, 1000)), ElementsAre(Pair("accepted dns", 1000)));
  uint64_t repeated = 0;
  for (const auto& [id, times] : engine_.accepted_ids()) repeated += times - 1;
  EXPECT_EQ(engine_.accepted_ids().size(), 1000u);
  EXPECT_EQ(repeated, 100u);
}

TEST_F(ForwarderTest, AReplyThatCannotBeTrueIsNoAcceptance) {
  Start();
  engine_.FailNext(2, {EngineFault::Kind::kWrongCounts, 0, {}, {}});
  EXPECT_THAT(Deliver(Dns(0, 10)), ElementsAre(Pair("accepted dns", 10)));
  EXPECT_EQ(engine_.stats().posts, 3u);
}

TEST_F(ForwarderTest, AnEngineThatAnswersHtmlIsNamedUntilItRecovers) {
  Start();
  engine_.SetFault(EngineFault{EngineFault::Kind::kHtml, 0, {}, {}});
  auto result = Send(Dns(0, 10));
  AwaitReason("an HTML page");
  engine_.SetFault({});
  EXPECT_OK(Await(std::move(result)).status);
  EXPECT_THAT(Reason(), IsEmpty());
  ExpectAccepted(0, 10);
}

TEST_F(ForwarderTest, RejectedEventsAreCountedWithTheEnginesReason) {
  engine_.RejectLinesWith("nj7x", "bad name");
  Start();
  EXPECT_THAT(Deliver(Dns(0, 10)),
              ElementsAre(Pair("accepted dns", 9), Pair("rejected(bad_name) dns", 1)));
  ExpectBooks(10);
}

TEST_F(ForwarderTest, APoisonEventIsFoundWith22PostsAndQuarantined) {
  engine_.RefuseBodiesWith("nj337x");
  Start();
  EXPECT_THAT(Deliver(Dns(0, 1000)),
              ElementsAre(Pair("accepted dns", 999), Pair("quarantined(engine_refused) dns", 1)));
  EXPECT_LE(engine_.stats().posts, 22u);
  EXPECT_EQ(engine_.accepted_ids().count(337), 0u);
  ExpectAccepted(337, 1000);
  EXPECT_THAT(*files_.Read(absl::StrCat(kFolder, "/quarantine.ndjson")),
              testing::AllOf(HasSubstr("\"seqNo\":337,"), HasSubstr("malformed event"),
                             HasSubstr(R"(\"query\":\"nj337x.example\")")));
  ExpectBooks(1000);
}

TEST_F(ForwarderTest, AFullQuarantineIsCountedAndAlarmed) {
  quarantine_bytes_max_ = 10;
  engine_.RefuseBodiesWith("nj3x");
  Start();
  EXPECT_THAT(Deliver(Dns(0, 10)),
              ElementsAre(Pair("accepted dns", 9), Pair("quarantined(quarantine_full) dns", 1)));
  EXPECT_THAT(Reason(), HasSubstr("the quarantine is full"));
}

TEST_F(ForwarderTest, AnEngineThatRefusesEveryEventHoldsThemAll) {
  options_.hold_wait = absl::Milliseconds(5);
  engine_.RefuseBodiesWith("query");
  Start();
  auto result = Send(Dns(0, 1000));
  AwaitReason("refuses every dns event");
  EXPECT_EQ(life_->state->quarantine->bytes(), 0u);
  engine_.RefuseBodiesWith("");
  EXPECT_THAT(CountsOf(Await(std::move(result)).counts), ElementsAre(Pair("accepted dns", 1000)));
  EXPECT_THAT(Reason(), IsEmpty());
  ExpectAccepted(0, 1000);
}

TEST_F(ForwarderTest, ARefusedKeyHoldsEverythingUntilAnotherComes) {
  engine_.SetApiKey("new-key");
  Start();
  auto result = Send(Dns(0, 10));
  AwaitReason("correct engine.api_key");
  EXPECT_EQ(engine_.stats().accepted, 0u);
  ConfigureKey("new-key");
  life_->forwarder->ReloadApiKey();
  EXPECT_OK(Await(std::move(result)).status);
  EXPECT_THAT(Reason(), IsEmpty());
  ExpectAccepted(0, 10);
}

TEST_F(ForwarderTest, ARefusedKeyIsReadAgainByItself) {
  engine_.SetApiKey("new-key");
  ConfigureKey("new-key");
  Start();
  EXPECT_THAT(Deliver(Dns(0, 10)), ElementsAre(Pair("accepted dns", 10)));
}

TEST_F(ForwarderTest, WhatHasEndedIsNotSentAgain) {
  Start();
  Deliver(Dns(0, 100));
  EXPECT_THAT(Deliver(Dns(50, 150)), ElementsAre(Pair("accepted dns", 50),
                                                 Pair("filtered(duplicate_suppressed) dns", 50)));
  ExpectAccepted(0, 150);
  ExpectBooks(200);
}

TEST_F(ForwarderTest, WhatHasEndedIsNotSentAgainAfterARestart) {
  Start();
  Deliver(Dns(0, 100));
  Kill();
  Start();
  EXPECT_THAT(Deliver(Dns(0, 100)), ElementsAre(Pair("filtered(duplicate_suppressed) dns", 100)));
  ExpectAccepted(0, 100);
}

TEST_F(ForwarderTest, AnEventInFlightTwiceIsSentOnceAndBothBatchesEnd) {
  engine_.SetFault(EngineFault{EngineFault::Kind::kStatus, 503, {}, {}});
  Start();
  auto first = Send(Dns(0, 100));
  auto second = Send(Dns(50, 150));
  auto third = Send(Dns(99, 100));
  engine_.SetFault({});
  EXPECT_THAT(CountsOf(Await(std::move(first)).counts), ElementsAre(Pair("accepted dns", 100)));
  EXPECT_THAT(
      CountsOf(Await(std::move(second)).counts),
      ElementsAre(Pair("accepted dns", 50), Pair("filtered(duplicate_suppressed) dns", 50)));
  EXPECT_THAT(CountsOf(Await(std::move(third)).counts),
              ElementsAre(Pair("filtered(duplicate_suppressed) dns", 1)));
  ExpectAccepted(0, 150);
  ExpectBooks(201);
}

TEST_F(ForwarderTest, AnEventTwiceInOneBatchIsSentOnce) {
  Start();
  auto batch = Dns(0, 2);
  *batch->batch().add_events() = batch->batch().events(0);
  EXPECT_THAT(Deliver(std::move(batch)),
              ElementsAre(Pair("accepted dns", 2), Pair("filtered(duplicate_suppressed) dns", 1)));
  ExpectAccepted(0, 2);
}

TEST_F(ForwarderTest, HashesIdentifyEventsWhereNumbersRepeat) {
  Start();
  const auto by_hash = [](uint64_t hash) {
    auto batch = Dns(4, 5);
    batch->batch().set_identity(telemetry::v1::IDENTITY_DOCUMENT_HASH);
    batch->batch().mutable_events(0)->set_document_hash(hash);
    return batch;
  };
  EXPECT_THAT(Deliver(by_hash(1)), ElementsAre(Pair("accepted dns", 1)));
  EXPECT_THAT(Deliver(by_hash(2)), ElementsAre(Pair("accepted dns", 1)));
  EXPECT_THAT(Deliver(by_hash(1)), ElementsAre(Pair("filtered(duplicate_suppressed) dns", 1)));
}

TEST_F(ForwarderTest, AnOlderOwnerIsFencedAlsoAfterARestart) {
  Start();
  Deliver(Dns(0, 10, /*token=*/5));
  EXPECT_THAT(Await(Send(Dns(10, 20, 4))).status,
              StatusIs(absl::StatusCode::kAborted, HasSubstr("newer owner")));
  Kill();
  Start();
  EXPECT_THAT(Await(Send(Dns(10, 20, 4))).status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(Deliver(Dns(10, 20, 5)), ElementsAre(Pair("accepted dns", 10)));
}

TEST_F(ForwarderTest, ABatchThatBreaksTheContractIsRefusedForGood) {
  Start();
  auto no_identity = Dns(0, 1);
  no_identity->batch().clear_identity();
  EXPECT_THAT(Await(Send(std::move(no_identity))).status,
              StatusIs(absl::StatusCode::kInvalidArgument));
  auto out_of_range = Dns(0, 1);
  out_of_range->batch().mutable_events(0)->set_seq_no(~uint64_t{0});
  EXPECT_THAT(Await(Send(std::move(out_of_range))).status,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("out of range")));
}

TEST_F(ForwarderTest, NoMoreCreditWhileTheEndedSetIsFull) {
  options_.ended_entries_max = 3;
  Start();
  for (int64_t n = 0; n < 6; n += 2) Deliver(Dns(n, n + 1));
  telemetry::v1::Durable durable;
  durable.set_epoch(kEpoch);
  auto& closed = *durable.add_closed();
  closed.set_from(-1);
  closed.set_to(3);
  AwaitReason("no more credit");
  life_->forwarder->OnDurable(durable);
  EXPECT_THAT(credit_, ElementsAre(false, true));
  EXPECT_EQ(life_->state->ended.entries(), 1u);
  EXPECT_THAT(Reason(), IsEmpty());
}

TEST_F(ForwarderTest, PausingStopsCreditAndResumingGrantsIt) {
  Start();
  life_->forwarder->SetPaused(true);
  life_->forwarder->SetPaused(true);
  life_->forwarder->SetPaused(false);
  EXPECT_THAT(credit_, ElementsAre(false, true));
}

TEST_F(ForwarderTest, NothingIsAckedBeforeItIsOnDisk) {
  Start();
  Deliver(Dns(0, 10));
  files_.FailOperation(1, ENOSPC);
  EXPECT_THAT(Deliver(Dns(10, 20)), ElementsAre(Pair("accepted dns", 10)));
  Kill();
  Start();
  EXPECT_THAT(Deliver(Dns(0, 20)), ElementsAre(Pair("filtered(duplicate_suppressed) dns", 20)));
  ExpectAccepted(0, 20);
}

TEST_F(ForwarderTest, ADiskThatStaysFullIsNamedAndHealsWithoutLossOrRepeat) {
  Start();
  files_.PowerOffAfter(0);  // every operation fails
  auto result = Send(Dns(0, 10));
  AwaitReason("state cannot be written");
  EXPECT_EQ(result.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  files_.LosePower(1);
  EXPECT_OK(Await(std::move(result)).status);
  EXPECT_THAT(Reason(), IsEmpty());
  ExpectAccepted(0, 10);
}

TEST_F(ForwarderTest, StoppingHandsBackWhatWasNotSent) {
  engine_.SetFault(EngineFault{EngineFault::Kind::kStatus, 503, {}, {}});
  Start();
  auto waiting = Send(Dns(0, 10));
  life_->forwarder->Shutdown();
  life_->forwarder->Shutdown();
  EXPECT_THAT(Await(std::move(waiting)).status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Await(Send(Dns(10, 20))).status, StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace nightjar::ae_forwarder
