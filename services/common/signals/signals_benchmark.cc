// Cost of judging one event of each type. Run: bazel run
// //services/common/signals:signals_benchmark
#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "google/protobuf/text_format.h"
#include "services/common/signals/signals.h"

namespace nightjar::signals {
namespace {

void Evaluate(benchmark::State& state, const std::string& text) {
  const SignalSet set(std::make_shared<ListSet>(), {});
  telemetry::v1::Event event;
  if (!google::protobuf::TextFormat::ParseFromString(text, &event))
    state.SkipWithError("bad event");
  for (auto _ : state) {
    set.Evaluate(Facts(event), event.mutable_score());
    benchmark::DoNotOptimize(event);
  }
}

BENCHMARK_CAPTURE(Evaluate, dns, R"(source_ip: "10.20.0.11" destination_ip: "192.0.2.53"
  dns { query: "safebrowsing.clients.example.com" query_type: "AAAA"
        answers { type: "AAAA" data: "2001:db8::7" } })");
BENCHMARK_CAPTURE(Evaluate, dns_random, R"(source_ip: "10.20.0.11" destination_ip: "192.0.2.53"
  dns { query: "xjwqzkvbnhtr.top" query_type: "A" })");
BENCHMARK_CAPTURE(Evaluate, ip,
                  R"(source_ip: "10.20.0.11" source_port: 50123 destination_ip: "203.0.113.80"
  destination_port: 443 ip { transport: "tcp" bytes_in: 1000 bytes_out: 300 })");
BENCHMARK_CAPTURE(Evaluate, http, R"(source_ip: "10.20.0.11" destination_ip: "203.0.113.80"
  http { url: "http://downloads.example.com/debian/dists/Release" method: "GET"
         user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0" })");
BENCHMARK_CAPTURE(Evaluate, tls,
                  R"(source_ip: "10.20.0.11" destination_ip: "203.0.113.80" time_unix_nano: 10
  tls { server_name: "www.example.com" version: "1.3" })");

}  // namespace
}  // namespace nightjar::signals
