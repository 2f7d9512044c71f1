// How fast a real cluster is read: everything that matches a pattern, to a taker that only counts.
//   bazel run //services/es_reader:reader_benchmark -- http://127.0.0.1:9200 'packetbeat-*'
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_format.h"
#include "services/common/status/check.h"
#include "services/es_reader/reader_testing.h"

namespace nightjar::es_reader {
namespace {

class Counter final : public rpc::FlowHandler {
 public:
  void OnBatch(rpc::BatchPtr batch, Done done) override {
    telemetry::v1::OutcomeCount count;
    count.set_outcome(telemetry::v1::OUTCOME_ACCEPTED);
    count.set_count(batch->batch().events_size());
    batch.reset();
    done({absl::OkStatus(), {count}});
  }
  void OnDurable(const telemetry::v1::Durable&) override {}
};

int Run(const std::string& url, const std::string& pattern) {
  std::string folder = "/tmp/reader_benchmark.XXXXXX";
  CHECK(mkdtemp(folder.data()) != nullptr);
  Counter counter;
  rpc::LoopbackTaker taker(counter, SystemClock());
  ReaderLife life(url, taker.address(), folder, [&](ReaderOptions& options) {
    options.patterns = {pattern};
    options.poll_interval = absl::Seconds(1);
  });
  const absl::Duration begin = SystemClock().Monotonic();
  const absl::Status started = life.Start();
  if (!started.ok()) return std::fprintf(stderr, "%s\n", started.ToString().c_str()), 1;
  life.WaitUntil(
      [&] {
        const auto status = life.monitor().Status();
        uint64_t lag = 0;
        for (const auto& shard : status.lag()) lag += shard.lag_operations();
        return status.lag_size() > 0 && lag == 0;
      },
      absl::Minutes(10));
  const double seconds = absl::ToDoubleSeconds(SystemClock().Monotonic() - begin);
  life.Stop();
  const metrics::Ledger::Books books = life.ledger().Snapshot();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
                     1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  const double read = static_cast<double>(books.read);
  std::string report = absl::StrFormat(
      "%.0f documents in %.1f s: %.0f/s, %.2f us of our CPU each, peak memory %d MiB\n", read,
      seconds, read / seconds, 1e6 * cpu / read, usage.ru_maxrss / 1024);
  for (const auto& ended : books.ended) {
    absl::StrAppendFormat(&report, "  %s %s: %d\n", metrics::OutcomeName(ended.outcome()),
                          ended.reason(), ended.count());
  }
  report += life.metrics().Render();
  std::fputs(report.c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace nightjar::es_reader

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: %s URL PATTERN\n", argv[0]), 64;
  return nightjar::es_reader::Run(argv[1], argv[2]);
}
