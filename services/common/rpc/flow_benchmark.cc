// One hop of the Flow: a sender and a taker in this process, over loopback TCP, 1,000 DNS events a
// batch.
#include "benchmark/benchmark.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/flow_client.h"
#include "services/common/rpc/flow_server.h"
#include "services/common/rpc/flow_testing.h"
#include "services/common/status/check.h"
#include "spdlog/spdlog.h"

namespace nightjar::rpc {
namespace {

// A batch as a reader makes it: every field that a DNS document of Packetbeat fills.
BatchPtr MakeDnsBatch() {
  BatchPtr message = MakeBatch(1'000'000, kBatchEventsMax);
  for (telemetry::v1::Event& event : *message->batch().mutable_events()) {
    event.set_document_hash(event.seq_no() * 0x9E3779B97F4A7C15u);
    event.set_document_id("Nn4UuZABtqk4wDSpXh8c");
    event.set_time_unix_nano(1'767'225'600'000'000'000 + static_cast<int64_t>(event.seq_no()));
    event.set_sensor_id("c2f1d0de-6a6c-4f2e-9a1f-0b54c36f61f7");
    event.set_source_ip("10.20.30.40");
    event.set_source_port(53124);
    event.set_destination_ip("10.20.0.53");
    event.set_destination_port(53);
    event.set_community_id("1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
    event.set_duration_nano(12'345'000);
    event.mutable_dns()->set_query("cdn-7.assets.example.com");
    event.mutable_dns()->set_query_type("A");
    event.mutable_dns()->set_response_code("NOERROR");
    event.mutable_dns()->set_transport("udp");
    event.mutable_dns()->set_query_bytes(42);
    event.mutable_dns()->set_response_bytes(58);
    telemetry::v1::DnsAnswer& answer = *event.mutable_dns()->add_answers();
    answer.set_name("cdn-7.assets.example.com");
    answer.set_type("A");
    answer.set_data("198.51.100.7");
    answer.set_ttl_seconds(60);
  }
  return message;
}

// Each iteration crosses the hop once. `make` is what the reader pays in any case; it is measured
// by itself below.
void BM_OneHop(benchmark::State& state) {
  spdlog::set_level(spdlog::level::warn);
  ScriptedHandler handler(ScriptedHandler::Script::kAccept);
  LoopbackTaker taker(handler, SystemClock());
  FlowClientOptions options;
  options.address = taker.address();
  options.source = "benchmark";
  FlowClient client(options, Security(), SystemClock());
  client.Start();
  uint64_t bytes = 0;
  for (auto _ : state) {
    BatchPtr batch = MakeDnsBatch();
    bytes = batch->batch().ByteSizeLong();
    CHECK(client.Send(std::move(batch), [](BatchResult) {}).ok());
  }
  client.Shutdown(kTestPatience);
  CHECK(client.state().unacked_batches == 0);
  state.SetItemsProcessed(state.iterations() * kBatchEventsMax);
  state.counters["bytes_per_event"] = static_cast<double>(bytes) / kBatchEventsMax;
}
BENCHMARK(BM_OneHop)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMicrosecond);

void BM_MakeBatchOnly(benchmark::State& state) {
  for (auto _ : state) {
    BatchPtr batch = MakeDnsBatch();
    benchmark::DoNotOptimize(batch->batch().ByteSizeLong());
  }
  state.SetItemsProcessed(state.iterations() * kBatchEventsMax);
}
BENCHMARK(BM_MakeBatchOnly)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace nightjar::rpc
