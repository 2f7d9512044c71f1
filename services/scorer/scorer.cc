#include "services/scorer/scorer.h"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "prometheus/counter.h"
#include "services/scorer/batch_filter.h"
#include "services/scorer/rendezvous.h"

namespace nightjar::scorer {
namespace {

using telemetry::v1::Batch;
using telemetry::v1::OutcomeCount;

// How often the peers are looked at, and the files within Policy's own interval.
constexpr absl::Duration kUpkeepInterval = absl::Seconds(1);

// New in every process, so that a forwarder does not take this one for the one before.
std::string NewSourceName() {
  std::random_device random;
  return absl::StrCat("scorer-", absl::Hex(random(), absl::kZeroPad8),
                      absl::Hex(random(), absl::kZeroPad8));
}

// The books of a batch that the stage below refused as a whole: a newer owner of the epoch sends
// its events again (fenced), or they broke the contract. `sent` are the events that had gone on, by
// type.
std::vector<OutcomeCount> CountRefused(std::vector<OutcomeCount> sent, const absl::Status& status) {
  const bool fenced = absl::IsAborted(status);
  for (OutcomeCount& count : sent) {
    count.set_outcome(fenced ? telemetry::v1::OUTCOME_FILTERED : telemetry::v1::OUTCOME_REJECTED);
    count.set_reason(fenced ? "fenced" : "invalid_batch");
  }
  return sent;
}

absl::Status Stopping() { return absl::UnavailableError("the scorer is stopping"); }

}  // namespace

Scorer::Scorer(const ScorerConfig& config, Policy& policy, metrics::Ledger& ledger,
               runtime::StageMonitor& monitor, metrics::Metrics& metrics,
               const rpc::Security& security, Clock& clock)
    : names_(config.forwarders),
      policy_(policy),
      ledger_(ledger),
      monitor_(monitor),
      metrics_(metrics),
      clock_(clock) {
  const std::string source = NewSourceName();
  for (const std::string& name : names_) {
    auto lane = std::make_unique<Lane>();
    lane->name = name;
    rpc::FlowClientOptions options;
    options.address = name;
    options.source = source;
    lane->client = std::make_unique<rpc::FlowClient>(options, security, clock);
    lanes_.push_back(std::move(lane));
  }
}

Scorer::~Scorer() { Shutdown(absl::ZeroDuration()); }

void Scorer::Start() {
  monitor_.SetCredit(/*connected=*/false, 0, 0);
  const size_t threads = std::max<size_t>(1, kThreads / lanes_.size());
  for (const auto& lane : lanes_) {
    lane->client->Start();
    for (size_t i = 0; i < threads; ++i) {
      lane->threads.emplace_back([this, &lane = *lane] { RunLane(lane); });
    }
  }
  upkeep_ = std::thread([this] { RunUpkeep(); });
}

void Scorer::Shutdown(absl::Duration deadline) {
  {
    std::lock_guard<std::mutex> lock(upkeep_mutex_);
    stopping_ = true;
  }
  upkeep_changed_.notify_all();
  if (upkeep_.joinable()) upkeep_.join();
  for (const auto& lane : lanes_) {
    {
      std::lock_guard<std::mutex> lock(lane->mutex);
      lane->stopping = true;
    }
    lane->changed.notify_all();
  }
  const absl::Duration end = clock_.Monotonic() + deadline;
  for (const auto& lane : lanes_) {
    lane->client->Shutdown(std::max(absl::ZeroDuration(), end - clock_.Monotonic()));
    for (std::thread& thread : lane->threads) thread.join();
    lane->threads.clear();
    for (const Work& work : lane->queue) work.done({Stopping(), {}});
    lane->queue.clear();
  }
}

Scorer::Lane& Scorer::LaneOf(absl::string_view epoch) {
  return *lanes_[ChooseOwner(names_, epoch)];
}

void Scorer::OnBatch(rpc::BatchPtr batch, Done done) {
  for (const OutcomeCount& count :
       CountByType(batch->batch(), telemetry::v1::OUTCOME_UNSPECIFIED, "")) {
    ledger_.Read(count.type(), count.count());
  }
  Lane& lane = LaneOf(batch->batch().epoch());
  {
    std::lock_guard<std::mutex> lock(lane.mutex);
    lane.queue.push_back({std::move(batch), std::move(done)});
  }
  lane.changed.notify_one();
}

void Scorer::OnDurable(const telemetry::v1::Durable& durable) {
  LaneOf(durable.epoch()).client->SendDurable(durable);
}

void Scorer::RunLane(Lane& lane) {
  while (true) {
    Work work;
    {
      std::unique_lock<std::mutex> lock(lane.mutex);
      lane.changed.wait(lock, [&lane] { return lane.stopping || !lane.queue.empty(); });
      if (lane.stopping) return;
      work = std::move(lane.queue.front());
      lane.queue.pop_front();
    }
    Process(lane, std::move(work));
  }
}

// judge -> show -> remove -> send on -> (ended below) -> books -> acknowledge.
void Scorer::Process(Lane& lane, Work work) {
  Batch& batch = work.batch->batch();
  const std::vector<absl::string_view> reasons = ApplyToAll(*policy_.filter(), &batch);
  monitor_.Observe(batch);  // with what is filtered: "last seen" is about what arrives
  std::vector<OutcomeCount> filtered = RemoveFiltered(reasons, &batch);
  CountSignals(batch);
  std::vector<OutcomeCount> sent = CountByType(batch, telemetry::v1::OUTCOME_UNSPECIFIED, "");

  // Scores only help people to look on; they must not make a batch too large to send.
  if (batch.ByteSizeLong() > rpc::kMessageBytesMax) {
    for (auto& event : *batch.mutable_events()) event.clear_score();
  }

  auto on_ended = [this, done = work.done, filtered = std::move(filtered),
                   sent = std::move(sent)](rpc::BatchResult result) {
    if (!result.status.ok()) result.counts = CountRefused(sent, result.status);
    result.counts.insert(result.counts.end(), filtered.begin(), filtered.end());
    for (const OutcomeCount& count : result.counts) ledger_.Ended(count);
    done(std::move(result));
  };
  const absl::Status status = lane.client->Send(std::move(work.batch), std::move(on_ended));
  // Shutting down: whoever sent it keeps it for the next process.
  if (!status.ok()) work.done({Stopping(), {}});
}

void Scorer::CountSignals(const Batch& batch) {
  std::map<absl::string_view, uint64_t> counts;
  for (const auto& event : batch.events()) {
    for (const auto& signal : event.score().signals()) ++counts[signal.name()];
  }
  for (const auto& [name, count] : counts) {
    metrics_
        .counter("nightjar_scorer_signals_total", "Signals of events that were sent on.",
                 {{"signal", std::string(name)}})
        .Increment(static_cast<double>(count));
  }
}

void Scorer::RunUpkeep() {
  std::unique_lock<std::mutex> lock(upkeep_mutex_);
  // Waits first: a stream that is still being set up is no news.
  while (!clock_.WaitFor(lock, upkeep_changed_, kUpkeepInterval, [this] { return stopping_; })) {
    lock.unlock();
    ReportLanes();
    policy_.ReloadChanged();
    lock.lock();
  }
}

void Scorer::ReportLanes() {
  std::vector<std::string> down;
  uint32_t credit_batches = 0;
  uint64_t credit_bytes = 0;
  for (const auto& lane : lanes_) {
    const rpc::FlowClient::State state = lane->client->state();
    monitor_.SetPeer("ae-forwarder", lane->name, state.connected, state.error);
    credit_batches += state.credit_batches;
    credit_bytes += state.credit_bytes;
    if (!state.connected) down.push_back(absl::StrCat(lane->name, ": ", state.error));
  }
  monitor_.SetCredit(down.size() < lanes_.size(), credit_batches, credit_bytes);
  if (down.empty()) {
    monitor_.ClearCondition("ae_forwarder");
  } else {
    monitor_.SetCondition("ae_forwarder",
                          absl::StrCat("not connected to ", absl::StrJoin(down, "; ")));
  }
}

}  // namespace nightjar::scorer
