// CPU and rate of the pump alone, without gRPC: batches from memory to an engine that runs
// elsewhere.
//   fake-engine & bazel run //services/ae_forwarder:forwarder_benchmark -- URL [EVENTS] [gzip]
#include <sys/resource.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/ae_forwarder/forwarder.h"
#include "services/ae_forwarder/forwarder_state.h"
#include "services/common/status/check.h"

namespace nightjar::ae_forwarder {
namespace {

constexpr int kBatchEvents = 1000;
constexpr int kBatchesInFlightMax = 64;  // as the credit that FlowServer grants

rpc::BatchPtr MakeBatch(int64_t from) {
  auto message = std::make_unique<rpc::BatchMessage>();
  telemetry::v1::Batch& batch = message->batch();
  batch.set_epoch("5G3pZk0JRcqhS0uXvYd2aA/0/kq1Vb0m3Tz6Yb0s5n9rU4w");
  batch.set_index("packetbeat-7.17.29-2026.11.24");
  batch.set_identity(telemetry::v1::IDENTITY_SEQ_NO);
  for (int i = 1; i <= kBatchEvents; ++i) {
    telemetry::v1::Event& event = *batch.add_events();
    event.set_seq_no(from + i);
    event.set_time_unix_nano(1'764'000'000'123'456'000 + i);
    event.set_source_ip("192.168.10.24");
    event.set_source_port(51234);
    event.set_destination_ip("203.0.113.80");
    event.set_destination_port(443);
    event.set_community_id("1:wCb3OG7yAFWelaUydu0D+125CLM=");
    event.set_document_id("bq3V1IwB2h0vLr7Ck8aE");
    event.set_sensor_id("2f6ab1f1-5a3c-4c6c-8b1e-2f0d9c1e1a11");
    if (i % 2 == 0) {
      event.set_flow_id("EAT/////AP//////CP8AAAFmVQL7wKgKGMsAcVAiyLsB");
      event.mutable_ip()->set_transport("tcp");
      event.mutable_ip()->set_bytes_in(54'321);
      event.mutable_ip()->set_bytes_out(1'234);
    } else {
      event.mutable_dns()->set_query(absl::StrCat("nj", from + i, "x.host.example.com"));
      event.mutable_dns()->set_query_type("AAAA");
    }
  }
  return message;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int Run(const std::string& url, int64_t events, bool gzip) {
  const std::string folder =
      (std::filesystem::temp_directory_path() / "nightjar_forwarder_benchmark").string();
  std::filesystem::remove_all(folder);
  const auto state = ForwarderState::Open(checkpoint::LocalFileSystem(), {folder, 1 << 20});
  CHECK(state.ok());
  metrics::Metrics metrics;
  metrics::Ledger ledger(metrics, "ae-forwarder");
  runtime::StageMonitor monitor("ae-forwarder", ledger, SystemClock());
  ForwarderOptions options;
  options.engine.hosts = {url};
  options.engine.api_key = config::Secret("test-key");
  options.engine.gzip = gzip;
  options.read_api_key = [] { return config::Secret("test-key"); };
  Forwarder forwarder(options, {**state, metrics, ledger, monitor, SystemClock()});
  forwarder.Start();

  std::mutex mutex;
  std::condition_variable ended;
  int in_flight = 0;
  double making = 0;  // CPU of this loop, which is not the pump's
  const absl::Duration start = SystemClock().Monotonic();
  const double cpu = CpuSeconds();
  for (int64_t from = 0; from < events; from += kBatchEvents) {
    timespec before{}, after{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    rpc::BatchPtr batch = MakeBatch(from);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    making += after.tv_sec - before.tv_sec + (after.tv_nsec - before.tv_nsec) / 1e9;
    std::unique_lock<std::mutex> lock(mutex);
    ended.wait(lock, [&] { return in_flight < kBatchesInFlightMax; });
    ++in_flight;
    lock.unlock();
    forwarder.OnBatch(std::move(batch), [&](const rpc::BatchResult& result) {
      CHECK(result.status.ok());
      std::lock_guard<std::mutex> done(mutex);
      --in_flight;
      ended.notify_one();
    });
  }
  std::unique_lock<std::mutex> lock(mutex);
  ended.wait(lock, [&] { return in_flight == 0; });
  const double seconds = absl::ToDoubleSeconds(SystemClock().Monotonic() - start);
  std::printf("%.0f events/s, %.2f us of CPU an event\n", static_cast<double>(events) / seconds,
              (CpuSeconds() - cpu - making) * 1e6 / static_cast<double>(events));
  return 0;
}

}  // namespace
}  // namespace nightjar::ae_forwarder

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: URL [EVENTS] [gzip]\n"), 64;
  const int64_t events = argc > 2 ? std::atoll(argv[2]) : 1'000'000;
  return nightjar::ae_forwarder::Run(argv[1], events, argc > 3);
}
