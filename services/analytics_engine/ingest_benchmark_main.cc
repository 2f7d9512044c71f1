// Events a second and CPU of the engine without HTTP: bodies from memory, every detector on.
//   bazel run --config=opt //services/analytics_engine:ingest_benchmark -- [EVENTS]
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/analytics_engine/api/event_decoder.h"
#include "services/analytics_engine/ingest.h"
#include "services/common/analytics_api/events_encoder.h"
#include "services/common/status/check.h"

namespace nightjar::analytics_engine {
namespace {

using telemetry::v1::Event;

constexpr int kBodyEvents = 5000;
constexpr int kSources = 2000, kServers = 5000, kNames = 20'000;
constexpr int64_t kStepNanos = 1'000'000;  // 1,000 events a second

// Office-like: most events repeat names and servers that are known.
Event MakeEvent(bool dns, int64_t number, std::minstd_rand& random) {
  Event event;
  event.set_time_unix_nano(1'764'000'000'000'000'000 + number * kStepNanos);
  const unsigned source = random() % kSources;
  event.set_source_ip(absl::StrCat("10.1.", source / 250, ".", source % 250));
  event.set_source_port(1024 + random() % 60'000);
  event.set_community_id("1:wCb3OG7yAFWelaUydu0D+125CLM=");
  event.set_document_id("bq3V1IwB2h0vLr7Ck8aE");
  event.set_sensor_id("2f6ab1f1-5a3c-4c6c-8b1e-2f0d9c1e1a11");
  if (dns) {
    event.set_destination_ip("10.1.0.2");
    event.set_destination_port(53);
    const unsigned name = random() % kNames;
    event.mutable_dns()->set_query(absl::StrCat("host", name % 7, ".company", name, ".com"));
    event.mutable_dns()->set_query_type("A");
    event.mutable_dns()->set_response_code("NOERROR");
    event.mutable_dns()->set_response_bytes(120);
    auto& answer = *event.mutable_dns()->add_answers();
    answer.set_type("A");
    answer.set_data(absl::StrCat("198.51.100.", name % 250));
    return event;
  }
  const unsigned server = random() % kServers;
  event.set_destination_ip(absl::StrCat("198.18.", server / 250, ".", server % 250));
  event.set_destination_port(443);
  event.set_flow_id(absl::StrCat("EAT/////AP//////CP8AAAFmVQL7wKgKGMsA", number));
  event.set_duration_nano(1'250'000'000);
  event.mutable_ip()->set_transport("tcp");
  event.mutable_ip()->set_bytes_in(54'321);
  event.mutable_ip()->set_bytes_out(1'234);
  event.mutable_ip()->set_packets_in(40);
  event.mutable_ip()->set_packets_out(20);
  event.mutable_ip()->set_state(telemetry::v1::FLOW_STATE_FINAL);
  return event;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void Run(int64_t events) {
  const std::string folder = std::filesystem::temp_directory_path() / "nightjar_ingest_benchmark";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  metrics::Metrics metrics;
  metrics::Ledger ledger(metrics, "analytics-engine");
  runtime::StageMonitor monitor("analytics-engine", ledger, SystemClock());
  EngineMetrics engine_metrics(metrics);
  auto database = Database::Open(folder + "/engine.db");
  CHECK(database.ok());
  auto alerts = AlertStore::Open(**database, AlertLimits());
  CHECK(alerts.ok());
  Detectors detectors(DetectorOptions(), metrics);
  Ingest ingest({detectors, **alerts, ledger, monitor, engine_metrics, SystemClock()});

  std::minstd_rand random(1);
  double cpu = 0;
  int64_t bytes = 0;
  for (int64_t number = 0; number < events; number += kBodyEvents) {
    const bool dns = number / kBodyEvents % 2 == 0;
    std::string lines;
    for (int i = 0; i < kBodyEvents; ++i) {
      analytics_api::AppendEventLine(analytics_api::Dialect::kNightjar,
                                     "packetbeat-7.17.29-2026.11.24",
                                     MakeEvent(dns, number + i, random), &lines);
    }
    const size_t size = lines.size();
    bytes += static_cast<int64_t>(size);
    lines.append(kPaddingBytes, ' ');
    const double start = CpuSeconds();
    const auto reply = ingest.Take(dns ? Event::kDns : Event::kIp, {lines.data(), size});
    cpu += CpuSeconds() - start;
    CHECK(reply.ok() && reply->accepted == kBodyEvents);
  }
  std::printf("%lld events of %lld bytes: %.0f a second a core, %.2f us each, %llu alerts\n",
              static_cast<long long>(events), static_cast<long long>(bytes / events), events / cpu,
              cpu / events * 1e6, static_cast<unsigned long long>(*(*alerts)->Count()));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace nightjar::analytics_engine

int main(int argc, char** argv) {
  nightjar::analytics_engine::Run(argc > 1 ? std::atoll(argv[1]) : 1'000'000);
  return 0;
}
