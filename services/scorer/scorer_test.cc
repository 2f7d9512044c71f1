// The scorer between a real sender and a scripted taker, over loopback.
#include "services/scorer/scorer.h"

#include <chrono>
#include <future>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "services/scorer/rendezvous.h"

namespace nightjar::scorer {
namespace {

using telemetry::v1::Batch;
using telemetry::v1::Durable;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr std::chrono::seconds kWaitMax(20);

// Keeps what arrives until the test says how it ended.
class ScriptedTaker final : public rpc::FlowHandler {
 public:
  void OnBatch(rpc::BatchPtr batch, Done done) override {
    std::lock_guard<std::mutex> lock(mutex_);
    work_.emplace_back(std::move(batch), std::move(done));
    changed_.notify_all();
  }

  void OnDurable(const Durable& durable) override {
    std::lock_guard<std::mutex> lock(mutex_);
    durables_.push_back(durable.epoch());
    changed_.notify_all();
  }

  // The next batch; a copy, so that a test can look at it after it has ended.
  std::pair<Batch, Done> Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kWaitMax, [this] { return !work_.empty(); }));
    std::pair<Batch, Done> work(work_.front().first->batch(), std::move(work_.front().second));
    work_.pop_front();
    return work;
  }

  std::string TakeDurable() {
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kWaitMax, [this] { return !durables_.empty(); }));
    std::string epoch = durables_.front();
    durables_.pop_front();
    return epoch;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<rpc::BatchPtr, Done>> work_;
  std::deque<std::string> durables_;
};

// A flow server on a port of its own.
class Endpoint {
 public:
  explicit Endpoint(rpc::FlowHandler& handler)
      : flow_(rpc::FlowServerOptions(), handler, security_, SystemClock()) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", security_.server_credentials(), &port_);
    builder.RegisterService(&flow_.service());
    server_ = builder.BuildAndStart();
  }
  ~Endpoint() { Stop(); }

  void Stop() {
    flow_.Shutdown(absl::ZeroDuration());
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  rpc::Security security_;
  rpc::FlowServer flow_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

rpc::BatchPtr MakeBatch(const std::string& epoch) {
  auto message = std::make_unique<rpc::BatchMessage>();
  Batch& batch = message->batch();
  batch.set_epoch(epoch);
  batch.set_fencing_token(7);
  batch.set_index("packetbeat");
  batch.set_window_from(-1);
  batch.set_window_to(2);
  batch.set_identity(telemetry::v1::IDENTITY_SEQ_NO);
  const std::pair<const char*, const char*> kEvents[] = {
      {"10.0.0.1", "a.top"}, {"203.0.113.1", "a.example"}, {"10.0.0.1", "b.example"}};
  for (const auto& [source, query] : kEvents) {
    auto* event = batch.add_events();
    event->set_seq_no(batch.events_size() - 1);
    event->set_source_ip(source);
    event->mutable_dns()->set_query(query);
  }
  return message;
}

telemetry::v1::OutcomeCount Accepted(uint64_t count) {
  telemetry::v1::OutcomeCount accepted;
  accepted.set_outcome(telemetry::v1::OUTCOME_ACCEPTED);
  accepted.set_type("dns");
  accepted.set_count(count);
  return accepted;
}

std::string Text(const telemetry::v1::OutcomeCount& count) {
  return absl::StrCat(metrics::OutcomeName(count.outcome()), "(", count.reason(), ") ",
                      count.type(), " ", count.count());
}

std::vector<std::string> Texts(const std::vector<telemetry::v1::OutcomeCount>& counts) {
  std::vector<std::string> texts;
  for (const auto& count : counts) texts.push_back(Text(count));
  return texts;
}

class ScorerTest : public testing::Test {
 protected:
  void SetUp() override { StartScorer({forwarder_.address()}); }

  void TearDown() override {
    reader_->Shutdown(absl::ZeroDuration());
    scorer_->Shutdown(absl::ZeroDuration());
  }

  void StartScorer(const std::vector<std::string>& forwarders) {
    config_.forwarders = forwarders;
    policy_.emplace(config_, monitor_, metrics_, SystemClock());
    ASSERT_OK(policy_->Load());
    scorer_.emplace(config_, *policy_, ledger_, monitor_, metrics_, security_, SystemClock());
    scorer_->Start();
    endpoint_.emplace(*scorer_);
    rpc::FlowClientOptions options;
    options.address = endpoint_->address();
    options.source = "test";
    reader_.emplace(options, security_, SystemClock());
    reader_->Start();
  }

  std::future<rpc::BatchResult> Send(rpc::BatchPtr batch) {
    auto promise = std::make_shared<std::promise<rpc::BatchResult>>();
    EXPECT_OK(reader_->Send(std::move(batch), [promise](rpc::BatchResult result) {
      promise->set_value(std::move(result));
    }));
    return promise->get_future();
  }

  static rpc::BatchResult Wait(std::future<rpc::BatchResult>& result) {
    if (result.wait_for(kWaitMax) != std::future_status::ready) {
      ADD_FAILURE() << "the batch has not ended";
      return {};
    }
    return result.get();
  }

  rpc::Security security_;
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "scorer"};
  runtime::StageMonitor monitor_{"scorer", ledger_, SystemClock()};
  ScriptedTaker taker_;
  Endpoint forwarder_{taker_};
  ScorerConfig config_;
  std::optional<Policy> policy_;
  std::optional<Scorer> scorer_;
  std::optional<Endpoint> endpoint_;
  std::optional<rpc::FlowClient> reader_;
};

TEST_F(ScorerTest, ABatchGoesOnScoredAndIsAckedWhenItHasEndedBelow) {
  auto ended = Send(MakeBatch("e"));
  auto [batch, done] = taker_.Take();
  EXPECT_EQ(batch.epoch(), "e");
  EXPECT_EQ(batch.fencing_token(), 7u);
  EXPECT_EQ(batch.index(), "packetbeat");
  EXPECT_EQ(batch.window_from(), -1);
  EXPECT_EQ(batch.window_to(), 2);
  EXPECT_EQ(batch.identity(), telemetry::v1::IDENTITY_SEQ_NO);
  ASSERT_EQ(batch.events_size(), 2);
  EXPECT_EQ(batch.events(0).seq_no(), 0u);
  EXPECT_EQ(batch.events(0).score().signals(0).name(), "bad_tld");
  EXPECT_EQ(batch.events(1).seq_no(), 2u);
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  EXPECT_EQ(ledger_.Snapshot().in_flight, 3u);

  done({absl::OkStatus(), {Accepted(2)}});
  const rpc::BatchResult result = Wait(ended);
  EXPECT_OK(result.status);
  EXPECT_THAT(Texts(result.counts),
              UnorderedElementsAre("accepted() dns 2", "filtered(not_in_scope) dns 1"));
  const metrics::Ledger::Books books = ledger_.Snapshot();
  EXPECT_EQ(books.read, 3u);
  EXPECT_EQ(books.in_flight, 0u);
  EXPECT_THAT(Texts(books.ended),
              UnorderedElementsAre("accepted() dns 2", "filtered(not_in_scope) dns 1"));
  EXPECT_THAT(metrics_.Render(), HasSubstr("nightjar_scorer_signals_total{signal=\"bad_tld\"} 1"));
}

TEST_F(ScorerTest, ABatchWithNothingLeftGoesOnEmpty) {
  auto message = MakeBatch("e");
  for (auto& event : *message->batch().mutable_events()) event.set_source_ip("203.0.113.1");
  auto ended = Send(std::move(message));
  auto [batch, done] = taker_.Take();
  EXPECT_EQ(batch.events_size(), 0);
  EXPECT_EQ(batch.window_to(), 2);
  done({absl::OkStatus(), {}});
  EXPECT_THAT(Texts(Wait(ended).counts), ElementsAre("filtered(not_in_scope) dns 3"));
}

TEST_F(ScorerTest, AFencedBatchIsPassedUpAsSuchAndTheBooksBalance) {
  auto ended = Send(MakeBatch("e"));
  auto [batch, done] = taker_.Take();
  done({absl::AbortedError("a newer reader owns e"), {}});
  EXPECT_THAT(Wait(ended).status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(ledger_.Snapshot().in_flight, 0u);
  EXPECT_THAT(Texts(ledger_.Snapshot().ended),
              UnorderedElementsAre("filtered(fenced) dns 2", "filtered(not_in_scope) dns 1"));
}

TEST_F(ScorerTest, AnInvalidBatchIsPassedUpWithItsText) {
  auto ended = Send(MakeBatch("e"));
  auto [batch, done] = taker_.Take();
  done({absl::InvalidArgumentError("no window"), {}});
  EXPECT_THAT(Wait(ended).status,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no window")));
  EXPECT_EQ(ledger_.Snapshot().in_flight, 0u);
}

TEST_F(ScorerTest, DurableIsRelayed) {
  auto ended = Send(MakeBatch("e"));  // both streams are up once this has passed
  taker_.Take().second({absl::OkStatus(), {Accepted(2)}});
  EXPECT_OK(Wait(ended).status);
  Durable durable;
  durable.set_epoch("e");
  reader_->SendDurable(durable);
  EXPECT_EQ(taker_.TakeDurable(), "e");
}

TEST_F(ScorerTest, ABatchPutOffBelowIsSentAgain) {
  auto ended = Send(MakeBatch("e"));
  auto [batch, done] = taker_.Take();
  done({absl::UnavailableError("not now"), {}});  // the taker wants it again
  auto [again, done_again] = taker_.Take();
  EXPECT_EQ(again.events_size(), 2);
  done_again({absl::OkStatus(), {Accepted(2)}});
  EXPECT_OK(Wait(ended).status);
  EXPECT_EQ(ledger_.Snapshot().read, 3u);
}

TEST_F(ScorerTest, TheMonitorShowsEverythingThatArrives) {
  auto ended = Send(MakeBatch("e"));
  taker_.Take().second({absl::OkStatus(), {Accepted(2)}});
  EXPECT_OK(Wait(ended).status);
  const admin::v1::StageStatus status = monitor_.Status();
  uint64_t dns = 0;
  for (const auto& activity : status.activity())
    dns += activity.type() == "dns" ? activity.count() : 0;
  EXPECT_EQ(dns, 3u);
}

TEST_F(ScorerTest, ShutdownUnstartedAndTwice) {
  Scorer unstarted(config_, *policy_, ledger_, monitor_, metrics_, security_, SystemClock());
  unstarted.Shutdown(absl::ZeroDuration());
  scorer_->Shutdown(absl::ZeroDuration());
  scorer_->Shutdown(absl::ZeroDuration());
}

class TwoForwardersTest : public ScorerTest {
 protected:
  void SetUp() override { StartScorer({forwarder_.address(), second_.address()}); }

  ScriptedTaker second_taker_;
  Endpoint second_{second_taker_};
};

TEST_F(TwoForwardersTest, OneThatDoesNotAnswerHoldsUpOnlyItsOwnEpochs) {
  // Sends one batch of each of some epochs; whichever forwarder gets it keeps it.
  std::map<std::string, std::future<rpc::BatchResult>> ended;
  for (int i = 0; i < 16; ++i) {
    const std::string epoch = absl::StrCat("e", i);
    ended.emplace(epoch, Send(MakeBatch(epoch)));
  }
  const std::vector<std::string> names = {forwarder_.address(), second_.address()};
  size_t first = 0;
  for (const auto& [epoch, result] : ended) first += ChooseOwner(names, epoch) == 0;
  for (size_t i = 0; i < first; ++i) {
    auto [batch, done] = taker_.Take();
    EXPECT_EQ(ChooseOwner(names, batch.epoch()), 0u);
    done({absl::OkStatus(), {Accepted(2)}});
    EXPECT_OK(Wait(ended.at(batch.epoch())).status);
  }
  EXPECT_EQ(ledger_.Snapshot().in_flight, (ended.size() - first) * 3);
}

}  // namespace
}  // namespace nightjar::scorer
