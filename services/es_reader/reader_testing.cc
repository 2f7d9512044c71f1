#include "services/es_reader/reader_testing.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace nightjar::es_reader {
namespace {

ReaderOptions Options(const std::string& elastic_url, const std::string& taker_address,
                      const std::string& folder,
                      const std::function<void(ReaderOptions&)>& change) {
  ReaderOptions options;
  options.elastic.hosts = {elastic_url};
  options.patterns = {"packetbeat-*"};
  options.poll_interval = absl::Milliseconds(20);
  options.start = "earliest";
  options.start_was_set = true;
  options.data_dir = folder;
  options.state_folder = folder;
  options.scorers = {taker_address};
  if (change) change(options);
  return options;
}

rpc::FlowPoolOptions Flow(const std::string& address) {
  rpc::FlowPoolOptions flow;
  flow.addresses = {address};
  flow.source = "reader-in-a-test";
  flow.streams.reconnect_min = absl::Milliseconds(1);
  flow.streams.reconnect_max = absl::Milliseconds(20);
  return flow;
}

}  // namespace

void RecordingTaker::SetAnswer(Answer answer) {
  std::vector<Done> held;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    answer_ = answer;
    held.swap(held_);
  }
  for (const Done& done : held) done({absl::OkStatus(), {}});
}

void RecordingTaker::OnBatch(rpc::BatchPtr message, Done done) {
  const telemetry::v1::Batch& batch = message->batch();
  rpc::BatchResult result;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& event : batch.events()) ++documents_[event.document_id()];
    index_of_epoch_[batch.epoch()] = batch.index();
    fencing_tokens_.push_back(batch.fencing_token());
    changed_.notify_all();
    if (answer_ == Answer::kHold) {
      held_.push_back(std::move(done));
      return;
    }
    if (answer_ == Answer::kInvalid) result.status = absl::InvalidArgumentError("not wanted");
    if (answer_ == Answer::kFenced) result.status = absl::AbortedError("token 9 was seen");
  }
  if (result.status.ok()) {
    telemetry::v1::OutcomeCount count;
    count.set_outcome(telemetry::v1::OUTCOME_ACCEPTED);
    count.set_type("dns");
    count.set_count(batch.events_size());
    result.counts.push_back(count);
  }
  done(std::move(result));
}

void RecordingTaker::OnDurable(const telemetry::v1::Durable& durable) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto index = index_of_epoch_.find(durable.epoch());
  if (index == index_of_epoch_.end() || durable.closed_size() != 1) return;
  durable_[index->second] = {durable.closed(0).from(), durable.closed(0).to()};
  changed_.notify_all();
}

bool RecordingTaker::WaitForDocuments(size_t count) {
  std::unique_lock<std::mutex> lock(mutex_);
  return SystemClock().WaitFor(lock, changed_, rpc::kTestPatience,
                               [&] { return documents_.size() >= count; });
}

bool RecordingTaker::WaitForDurable(const std::string& index, int64_t to) {
  std::unique_lock<std::mutex> lock(mutex_);
  return SystemClock().WaitFor(lock, changed_, rpc::kTestPatience, [&] {
    return durable_.count(index) > 0 && durable_[index] == std::make_pair<int64_t>(-1, int64_t{to});
  });
}

std::map<std::string, int> RecordingTaker::documents() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return documents_;
}

std::vector<uint64_t> RecordingTaker::fencing_tokens() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return fencing_tokens_;
}

ReaderLife::ReaderLife(const std::string& elastic_url, const std::string& taker_address,
                       const std::string& folder, const std::function<void(ReaderOptions&)>& change)
    : ledger_(metrics_, "es-reader"),
      monitor_("es-reader", ledger_, SystemClock()),
      flow_(Flow(taker_address), security_, SystemClock()),
      reader_(Options(elastic_url, taker_address, folder, change), /*fencing_token=*/7,
              {flow_, monitor_, ledger_, metrics_, checkpoint::LocalFileSystem(), SystemClock(),
               [this](absl::Status status) {
                 std::lock_guard<std::mutex> lock(mutex_);
                 stop_status_ = std::move(status);
               }}) {}

absl::Status ReaderLife::Start() {
  flow_.Start();
  const absl::Status status = reader_.Start();
  if (status.ok()) monitor_.SetStarted();
  return status;
}

// Nobody notifies of what is only told by the monitor and the books, so it is looked at again and
// again.
bool ReaderLife::WaitUntil(const std::function<bool()>& ready, absl::Duration patience) {
  const absl::Duration until = SystemClock().Monotonic() + patience;
  while (!ready()) {
    if (SystemClock().Monotonic() > until) return false;
    std::unique_lock<std::mutex> lock(mutex_);
    SystemClock().WaitFor(lock, changed_, absl::Milliseconds(5), [] { return false; });
  }
  return true;
}

bool ReaderLife::WaitForReason(const std::string& text) {
  return WaitUntil([&] {
    const std::string reason = monitor_.Status().reason();
    return text.empty() ? reason.empty() : reason.find(text) != std::string::npos;
  });
}

bool ReaderLife::WaitForEnded(telemetry::v1::Outcome outcome, const std::string& reason,
                              uint64_t count) {
  return WaitUntil([&] {
    const metrics::Ledger::Books books = ledger_.Snapshot();
    uint64_t ended = 0;
    for (const telemetry::v1::OutcomeCount& cell : books.ended) {
      if (cell.outcome() == outcome && cell.reason() == reason) ended += cell.count();
    }
    return ended == count && books.in_flight == 0;
  });
}

bool ReaderLife::WaitForStopRequest() {
  return WaitUntil([&] {
    std::lock_guard<std::mutex> lock(mutex_);
    return !stop_status_.ok();
  });
}

std::string DnsDocument(const std::string& time) {
  return absl::StrCat(
      R"({"@timestamp":")", time,
      R"(","type":"dns","event":{"dataset":"dns"},"agent":{"id":"sensor"},)"
      R"("source":{"ip":"10.0.0.1","port":5353},"destination":{"ip":"10.0.0.53","port":53},)"
      R"("dns":{"question":{"name":"a.example","type":"A"}}})");
}

}  // namespace nightjar::es_reader
