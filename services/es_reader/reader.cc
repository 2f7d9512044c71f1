#include "services/es_reader/reader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::es_reader {
namespace {

// How long a worker waits before it looks at the clock again: for the token bucket, back-off,
// assumed holes.
constexpr absl::Duration kWorkerWait = absl::Milliseconds(50);
// How large a weight the latest page has in the mean size of a document.
constexpr double kHitBytesWeight = 0.2;
// For the last round of the looking thread, and for closing the stream.
constexpr absl::Duration kFinishMax = absl::Seconds(3);
constexpr absl::Duration kCloseMax = absl::Seconds(1);
// A stream that is away for less is not worth a word.
constexpr absl::Duration kDisconnectedMax = absl::Seconds(5);
// Nor is a search that fails for less; an outage of the whole cluster is said by Discovery.
constexpr absl::Duration kFailingSearchMax = absl::Seconds(5);

using telemetry::v1::OUTCOME_FILTERED;
using telemetry::v1::OUTCOME_QUARANTINED;

}  // namespace

Reader::Reader(ReaderOptions options, uint64_t fencing_token, ReaderPorts ports)
    : options_(std::move(options)),
      fencing_token_(fencing_token),
      ports_(ports),
      metrics_(ports.metrics),
      sensors_(ports.metrics, ports.clock),
      pool_(options_.elastic.hosts, ports.clock),
      state_(options_.throttle),
      checkpoint_(ports.files, options_.state_folder),
      keeper_(checkpoint_, state_, ports.flow, ports.monitor, metrics_, ports.clock),
      discovery_(options_, pool_, state_, ports.monitor, metrics_, ports.clock) {}

Reader::~Reader() { Shutdown(absl::ZeroDuration()); }

absl::Status Reader::Start() {
  RETURN_IF_ERROR(LoadOrBegin());
  ASSIGN_OR_RETURN(quarantine_, Quarantine::Open(ports_.files, options_.state_folder));
  connected_at_ = ports_.clock.Monotonic();
  ports_.monitor.SetCredit(/*connected=*/false, 0, 0);
  ports_.monitor.SetLagSource([this] { return state_.Lags(); });
  ports_.monitor.SetPauseHandler([this](bool paused) {
    std::lock_guard<std::mutex> lock(state_.mutex);
    state_.paused = paused;
    state_.changed.notify_all();
  });
  for (int i = 0; i < options_.throttle.searches_in_flight_max; ++i) {
    fetchers_.push_back(std::make_unique<Fetcher>(pool_, options_.elastic, options_.decoder));
  }
  for (const auto& fetcher : fetchers_) {
    workers_.emplace_back([this, &fetcher = *fetcher] { Work(fetcher); });
  }
  looker_ = std::thread([this] { LookAfter(); });
  return absl::OkStatus();
}

void Reader::SetAuthorization(const config::Secret& authorization) {
  for (const auto& fetcher : fetchers_) fetcher->SetAuthorization(authorization);
  discovery_.SetAuthorization(authorization);
}

// A first start is written down before anything is read, so that it stays the first.
absl::Status Reader::LoadOrBegin() {
  ASSIGN_OR_RETURN(std::optional<Position> loaded,
                   LoadPosition(checkpoint_, options_.state_folder));
  if (checkpoint_.fell_back()) {
    spdlog::warn(
        "{}: the newest state was damaged; the one before it is used, and some events "
        "may arrive twice",
        options_.state_folder);
  }
  if (loaded) {
    state_.position = *std::move(loaded);
    return absl::OkStatus();
  }
  const absl::Time now = ports_.clock.Now();
  state_.position.first_start = now;
  ASSIGN_OR_RETURN(state_.position.start, ResolveStart(options_.start, now));
  const std::optional<absl::Time> nfr = NfrBookmark(ports_.files, options_.data_dir);
  if (nfr && !options_.start_was_set) {
    state_.position.start = {StartPolicy::Kind::kSince, *nfr};
    spdlog::info("first start: going on where NFR stood, at {}",
                 absl::FormatTime(absl::RFC3339_sec, *nfr, absl::UTCTimeZone()));
  } else {
    spdlog::info("first start: reading from reader.start = {}", options_.start);
  }
  const absl::Status saved = checkpoint_.Save(EncodePosition(state_.position));
  if (!saved.ok()) return ConfigError(saved.message());
  return absl::OkStatus();
}

// The order of the end. Nothing in it is needed for correctness: whatever is not in the position is
// read again.
//   1. stop fetching: no new searches; those in progress are cut off
//   2. wait until every document sent has ended, at most `deadline`; not at all while the scorer is
//   away
//   3. read the statistics once more, which seals what has ended; save the position; tell
//   downstream what is durable
//   4. close the stream, which frees workers that wait for credit; end the threads
void Reader::Shutdown(absl::Duration deadline) {
  if (!ports_.flow.state().connected) deadline = absl::ZeroDuration();
  std::unique_lock<std::mutex> lock(state_.mutex);
  if (std::exchange(state_.stopping, true)) return;
  for (const auto& fetcher : fetchers_) fetcher->Cancel();
  state_.changed.notify_all();
  ports_.clock.WaitFor(lock, state_.changed, deadline,
                       [this] { return state_.working == 0 && state_.documents_in_flight == 0; });
  state_.drained = true;
  state_.changed.notify_all();
  if (looker_.joinable()) {
    ports_.clock.WaitFor(lock, state_.changed, kFinishMax, [this] { return state_.finished; });
    discovery_.Cancel();
    lock.unlock();
    looker_.join();
    lock.lock();
  }
  lock.unlock();
  ports_.flow.Shutdown(kCloseMax);
  for (std::thread& worker : workers_) worker.join();
  // Nobody may ask a reader that is gone.
  ports_.monitor.SetLagSource([] { return std::vector<admin::v1::ShardLag>(); });
  ports_.monitor.SetPauseHandler([](bool) {});
}

void Reader::LookAfter() {
  bool drained = false;
  while (!drained) {
    Round(/*last=*/false);
    std::unique_lock<std::mutex> lock(state_.mutex);
    drained = ports_.clock.WaitFor(lock, state_.changed, options_.poll_interval,
                                   [this] { return state_.drained; });
  }
  Round(/*last=*/true);
  std::lock_guard<std::mutex> lock(state_.mutex);
  state_.finished = true;
  state_.changed.notify_all();
}

void Reader::Round(bool last) {
  HandleRefused();
  discovery_.Poll();
  // A failed write is a condition already, and is tried again in the next round.
  const absl::Status saved = keeper_.Save(/*now=*/last);
  if (last && !saved.ok()) spdlog::error("position not saved: {}", std::string(saved.message()));
  ReportDownstream();
}

void Reader::ReportDownstream() {
  const rpc::FlowPool::State flow = ports_.flow.state();
  const std::string scorers = absl::StrJoin(options_.scorers, ", ");
  ports_.monitor.SetPeer("scorer", scorers, flow.connected, flow.error);
  ports_.monitor.SetCredit(flow.connected, flow.credit_batches, flow.credit_bytes);
  const absl::Duration now = ports_.clock.Monotonic();
  if (flow.connected) {
    connected_at_ = now;
    ports_.monitor.ClearCondition("scorer");
  } else if (now - connected_at_ >= kDisconnectedMax) {
    ports_.monitor.SetCondition(
        "scorer", absl::StrCat("not connected to the scorer at ", scorers, ": ", flow.error));
  }
  metrics_.quarantine_full.Set(quarantine_->full() ? 1 : 0);
  if (quarantine_->full()) {
    ports_.monitor.SetCondition("quarantine_full",
                                absl::StrCat(quarantine_->path(),
                                             " has reached 64 MiB: further "
                                             "documents are only counted; move it away and "
                                             "restart"));
  }
}

void Reader::HandleRefused() {
  std::vector<RefusedBatch> batches;
  {
    std::lock_guard<std::mutex> lock(state_.mutex);
    batches.swap(state_.refused);
  }
  for (RefusedBatch& batch : batches) {
    if (HandleOne(batch)) continue;
    std::lock_guard<std::mutex> lock(state_.mutex);
    state_.refused.push_back(std::move(batch));  // tried again in the next round
  }
}

bool Reader::HandleOne(const RefusedBatch& batch) {
  std::vector<QuarantinedDocument> documents;
  for (const int64_t seq_no : batch.seq_nos) {
    documents.push_back(
        {batch.shard->index, batch.shard->epoch, seq_no, "", "batch_refused", batch.text});
  }
  const absl::Status kept = quarantine_->Add(documents);
  if (!kept.ok()) {
    ports_.monitor.SetCondition("quarantine", std::string(kept.message()));
    return false;
  }
  ports_.monitor.ClearCondition("quarantine");
  for (const auto& [type, count] : batch.types) {
    ports_.ledger.Ended(OUTCOME_QUARANTINED, "batch_refused", type, count);
  }
  std::lock_guard<std::mutex> lock(state_.mutex);
  batch.shard->tail.OnEventsEnded(batch.window, batch.seq_nos.size());
  state_.documents_in_flight -= batch.seq_nos.size();
  state_.changed.notify_all();
  return true;
}

void Reader::Work(Fetcher& fetcher) {
  while (std::optional<Job> job = WaitForJob()) {
    Run(fetcher, *std::move(job));
    std::lock_guard<std::mutex> lock(state_.mutex);
    --state_.working;
    state_.changed.notify_all();
  }
}

// Empty: the reader is stopping.
std::optional<Job> Reader::WaitForJob() {
  std::unique_lock<std::mutex> lock(state_.mutex);
  std::optional<Job> job;
  while (!job && !state_.stopping) {
    ports_.clock.WaitFor(lock, state_.changed, kWorkerWait, [&] {
      if (!job) job = state_.NextJob(ports_.clock.Monotonic());
      return job.has_value() || state_.stopping;
    });
  }
  return job;
}

void Reader::Run(Fetcher& fetcher, Job job) {
  FetchFailure failure;
  std::optional<Page> page = FetchAndDecode(fetcher, job, &failure);
  if (page) {
    // References are on the disk before anything can count as ended.
    failure.status = quarantine_->Add(page->quarantined);
    if (!failure.status.ok()) page.reset();
  }
  if (!page) return OnFailure(job, failure);
  Commit(job, *page);
  Send(job, *std::move(page));
}

std::optional<Page> Reader::FetchAndDecode(Fetcher& fetcher, Job& job, FetchFailure* failure) {
  const PageContext context = Context(job);
  while (true) {
    std::optional<Page> page = fetcher.Fetch(Query(job), context, failure);
    if (page) {
      const bool more =
          job.shard->numbers_repeat && static_cast<int>(page->seq_nos.size()) >= job.fetch.size;
      if (!more) return page;
      *failure = {FetchFailure::Kind::kTooLarge, absl::ResourceExhaustedError("equal numbers"), {}};
      return std::nullopt;
    }
    const auto numbers = job.fetch.numbers.empty() ? job.fetch.range.to - job.fetch.range.from
                                                   : static_cast<int64_t>(job.fetch.numbers.size());
    const bool single = failure->kind == FetchFailure::Kind::kTooLarge && numbers == 1;
    if (!single || !job.with_source) return std::nullopt;
    job.with_source = false;  // one document that does not fit: only its id, for the quarantine
  }
}

WindowQuery Reader::Query(const Job& job) const {
  WindowQuery query;
  query.index = job.shard->index;
  query.shard = job.shard->number;
  query.node = job.fetch.node;
  query.from = job.fetch.range.from;
  query.to = job.fetch.range.to;
  query.seq_nos = job.fetch.numbers;
  query.size = job.fetch.size;
  query.with_source = job.with_source;
  query.filters = options_.filters;
  return query;
}

PageContext Reader::Context(const Job& job) {
  std::lock_guard<std::mutex> lock(state_.mutex);
  PageContext context;
  context.index = job.shard->index;
  context.epoch = job.shard->epoch;
  context.fencing_token = fencing_token_;
  context.window_from = job.fetch.range.from;
  context.window_to = job.fetch.range.to;
  context.identity = job.shard->numbers_repeat ? telemetry::v1::IDENTITY_DOCUMENT_HASH
                                               : telemetry::v1::IDENTITY_SEQ_NO;
  context.first_checkpoint = job.shard->first_checkpoint;
  context.start = state_.position.start.since;
  return context;
}

// The page is whole: its documents count as read, and those that end here have ended.
void Reader::Commit(const Job& job, const Page& page) {
  const absl::Duration now = ports_.clock.Monotonic();
  metrics_.Search("ok");
  metrics_.bytes_read.Increment(static_cast<double>(page.bytes));
  for (const auto& [type, count] : page.read) ports_.ledger.Read(type, count);
  for (const auto& [key, count] : page.filtered_counts) {
    ports_.ledger.Ended(OUTCOME_FILTERED, key.first, key.second, count);
  }
  for (const auto& [key, count] : page.quarantined_counts) {
    ports_.ledger.Ended(OUTCOME_QUARANTINED, key.first, key.second, count);
  }
  ports_.monitor.ClearCondition(absl::StrCat("search:", job.shard->name));
  std::lock_guard<std::mutex> lock(state_.mutex);
  Shard& shard = *job.shard;
  state_.throttle.Ended(job.reserved_bytes);
  state_.throttle.OnAnswer(page.seq_nos.size(), page.took, now);
  shard.backoff.Reset();
  shard.failing_since.reset();
  if (!page.seq_nos.empty()) {
    const double mean = static_cast<double>(page.bytes) / static_cast<double>(page.seq_nos.size());
    shard.hit_bytes += kHitBytesWeight * (mean - shard.hit_bytes);
  }
  const Holes holes = shard.tail.OnPage(job.fetch, page.seq_nos);
  if (page.ended_here > 0) shard.tail.OnEventsEnded(job.fetch.window, page.ended_here);
  state_.documents_in_flight += page.seq_nos.size() - page.ended_here;
  metrics_.holes_late.Increment(static_cast<double>(holes.late));
  metrics_.holes_proved.Increment(static_cast<double>(holes.proved));
  metrics_.visibility_assumed.Increment(static_cast<double>(holes.assumed));
  state_.changed.notify_all();
}

// Waits for credit. A batch that is not taken because we are stopping is read again by the next
// reader.
void Reader::Send(const Job& job, Page page) {
  for (rpc::BatchPtr& batch : page.batches) {
    ports_.monitor.Observe(batch->batch());
    sensors_.Observe(batch->batch());
    RefusedBatch sent{job.shard, job.fetch.window, {}, {}, {}};
    for (const telemetry::v1::Event& event : batch->batch().events()) {
      sent.seq_nos.push_back(static_cast<int64_t>(event.seq_no()));
      ++sent.types[metrics::TypeName(event)];
    }
    const absl::Status taken = ports_.flow.Send(
        std::move(batch), [this, sent = std::move(sent), offered = ports_.clock.Monotonic()](
                              const rpc::BatchResult& result) mutable {
          metrics_.batch_seconds.Observe(absl::ToDoubleSeconds(ports_.clock.Monotonic() - offered));
          OnEnded(std::move(sent), result);
        });
    if (!taken.ok()) return;
  }
}

void Reader::OnEnded(RefusedBatch sent, const rpc::BatchResult& result) {
  for (const telemetry::v1::OutcomeCount& count : result.counts) ports_.ledger.Ended(count);
  if (result.status.code() == absl::StatusCode::kAborted) {
    ports_.request_stop(FencedError(absl::StrCat("a newer es-reader owns ", sent.shard->name,
                                                 ", so this one (fencing token ", fencing_token_,
                                                 ") stops: ", result.status.message())));
    return;
  }
  std::lock_guard<std::mutex> lock(state_.mutex);
  if (result.status.ok()) {
    sent.shard->tail.OnEventsEnded(sent.window, sent.seq_nos.size());
    state_.documents_in_flight -= sent.seq_nos.size();
  } else {
    sent.text = std::string(result.status.message());
    state_.refused.push_back(std::move(sent));
  }
  state_.changed.notify_all();
}

void Reader::OnFailure(const Job& job, const FetchFailure& failure) {
  static constexpr absl::string_view kResults[] = {"too_large", "push_back", "moved", "failed"};
  const absl::Duration now = ports_.clock.Monotonic();
  std::lock_guard<std::mutex> lock(state_.mutex);
  Shard& shard = *job.shard;
  state_.throttle.Ended(job.reserved_bytes);
  state_.changed.notify_all();
  if (state_.stopping) return shard.tail.OnFailed(job.fetch);
  metrics_.Search(kResults[static_cast<int>(failure.kind)]);
  if (failure.kind == FetchFailure::Kind::kTooLarge && shard.tail.OnTooLarge(job.fetch)) return;
  shard.tail.OnFailed(job.fetch);
  if (failure.kind == FetchFailure::Kind::kPushBack) {
    if (state_.throttle.OnPushBack(failure.retry_after, now)) shard.tail.Shrink();
  } else {
    shard.not_before = now + shard.backoff.Next(failure.retry_after);
    state_.look_again = state_.look_again || failure.kind == FetchFailure::Kind::kMoved;
  }
  ports_.monitor.RecordError(failure.status.message());
  shard.failing_since = shard.failing_since.value_or(now);
  if (now - *shard.failing_since < kFailingSearchMax) return;
  ports_.monitor.SetCondition(absl::StrCat("search:", shard.name),
                              std::string(failure.status.message()));
}

}  // namespace nightjar::es_reader
