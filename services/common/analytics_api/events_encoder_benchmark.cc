// Cost of one line: bazel run -c opt //services/common/analytics_api:events_encoder_benchmark
#include <string>

#include "benchmark/benchmark.h"
#include "services/common/analytics_api/events_encoder.h"

namespace nightjar::analytics_api {
namespace {

telemetry::v1::Event Flow() {
  telemetry::v1::Event event;
  event.set_time_unix_nano(1'764'000'000'123'456'000);
  event.set_source_ip("192.168.10.24");
  event.set_source_port(51234);
  event.set_source_mac("02:42:c0:a8:0a:18");
  event.set_destination_ip("203.0.113.80");
  event.set_destination_port(443);
  event.set_community_id("1:wCb3OG7yAFWelaUydu0D+125CLM=");
  event.set_flow_id("EAT/////AP//////CP8AAAFmVQL7wKgKGMsAcVAiyLsB");
  event.set_duration_nano(1'250'123'000);
  event.set_sensor_id("2f6ab1f1-5a3c-4c6c-8b1e-2f0d9c1e1a11");
  event.set_document_id("bq3V1IwB2h0vLr7Ck8aE");
  event.mutable_ip()->set_transport("tcp");
  event.mutable_ip()->set_bytes_in(54'321);
  event.mutable_ip()->set_bytes_out(1'234);
  return event;
}

telemetry::v1::Event Dns() {
  telemetry::v1::Event event = Flow();
  event.mutable_dns()->set_query("nj7x.some-host.example.com");
  event.mutable_dns()->set_query_type("AAAA");
  event.mutable_dns()->set_response_code("NOERROR");
  return event;
}

void Encode(benchmark::State& state, Dialect dialect, const telemetry::v1::Event& event) {
  std::string out;
  for (auto _ : state) {
    if (out.size() > 4 << 20) out.clear();
    AppendEventLine(dialect, "packetbeat-7.17.29-2026.11.24", event, &out);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(Encode, flow_alphasoc, Dialect::kAlphaSoc, Flow());
BENCHMARK_CAPTURE(Encode, flow_nightjar, Dialect::kNightjar, Flow());
BENCHMARK_CAPTURE(Encode, dns_alphasoc, Dialect::kAlphaSoc, Dns());
BENCHMARK_CAPTURE(Encode, dns_nightjar, Dialect::kNightjar, Dns());

}  // namespace
}  // namespace nightjar::analytics_api
