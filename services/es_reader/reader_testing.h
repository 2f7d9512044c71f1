// A reader in a test: over a fake Elasticsearch, with a taker on a real port that remembers what
// came.
#ifndef SERVICES_ES_READER_READER_TESTING_H_
#define SERVICES_ES_READER_READER_TESTING_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/common/checkpoint/file_system.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/ledger.h"
#include "services/common/metrics/metrics.h"
#include "services/common/rpc/flow_pool.h"
#include "services/common/rpc/flow_server.h"
#include "services/common/rpc/flow_testing.h"
#include "services/common/rpc/security.h"
#include "services/common/runtime/stage_monitor.h"
#include "services/es_reader/reader.h"

namespace nightjar::es_reader {

// Takes batches, remembers the ids of their documents, and ends them as told. Thread-safe.
class RecordingTaker final : public rpc::FlowHandler {
 public:
  enum class Answer { kAccept, kHold, kInvalid, kFenced };

  void SetAnswer(Answer answer);

  void OnBatch(rpc::BatchPtr batch, Done done) override;
  void OnDurable(const telemetry::v1::Durable& durable) override;

  // Waits until `count` different documents have come. False: they did not within
  // rpc::kTestPatience.
  bool WaitForDocuments(size_t count);
  // Waits until a shard's durable position is the one interval (-1, to]. The shard is that of
  // `index`.
  bool WaitForDurable(const std::string& index, int64_t to);

  std::map<std::string, int> documents() const;  // by id: how often it came
  std::vector<uint64_t> fencing_tokens() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Answer answer_ = Answer::kAccept;
  std::map<std::string, int> documents_;
  std::map<std::string, std::string> index_of_epoch_;
  std::map<std::string, std::pair<int64_t, int64_t>> durable_;  // by index: the first interval
  std::vector<uint64_t> fencing_tokens_;
  std::vector<Done> held_;
};

// One life of a reader. Everything it needs but Elasticsearch and the taker is its own.
class ReaderLife {
 public:
  ReaderLife(const std::string& elastic_url, const std::string& taker_address,
             const std::string& folder, const std::function<void(ReaderOptions&)>& change = {});

  absl::Status Start();
  // As SIGTERM.
  void Stop() { reader_.Shutdown(absl::Seconds(10)); }

  // Waits until the stage's reason contains `text` (empty: until there is no reason).
  bool WaitForReason(const std::string& text);
  // Waits until the books have nothing in flight and `outcome` with `reason` counts `count`.
  bool WaitForEnded(telemetry::v1::Outcome outcome, const std::string& reason, uint64_t count);
  bool WaitForStopRequest();
  // Looks again and again.
  bool WaitUntil(const std::function<bool()>& ready, absl::Duration patience = rpc::kTestPatience);

  Reader& reader() { return reader_; }
  metrics::Ledger& ledger() { return ledger_; }
  runtime::StageMonitor& monitor() { return monitor_; }
  const metrics::Metrics& metrics() const { return metrics_; }
  absl::Status stop_status() const { return stop_status_; }

 private:
  metrics::Metrics metrics_;
  metrics::Ledger ledger_;
  runtime::StageMonitor monitor_;
  rpc::Security security_;
  rpc::FlowPool flow_;
  std::mutex mutex_;
  std::condition_variable changed_;
  absl::Status stop_status_;
  Reader reader_;
};

// A DNS document; `time` as in @timestamp.
std::string DnsDocument(const std::string& time = "2026-11-24T12:00:00.000Z");

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_READER_TESTING_H_
