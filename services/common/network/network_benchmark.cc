// Cost of the look-ups that run for every event.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "services/common/network/address.h"
#include "services/common/network/cidr_set.h"
#include "services/common/network/domain.h"

namespace nightjar::network {
namespace {

void BM_ParseIpv4(benchmark::State& state) {
  const std::string text = "192.168.104.217";
  for (auto _ : state) benchmark::DoNotOptimize(Address::Parse(text));
}
BENCHMARK(BM_ParseIpv4);

void BM_ParseIpv6(benchmark::State& state) {
  const std::string text = "2001:db8:85a3::8a2e:370:7334";
  for (auto _ : state) benchmark::DoNotOptimize(Address::Parse(text));
}
BENCHMARK(BM_ParseIpv6);

void BM_CidrSetContains(benchmark::State& state) {
  CidrSet set;
  for (int i = 0; i < state.range(0); ++i) {
    // Every other /24, so that nothing is merged.
    (void)set.Add(absl::StrCat(10 + i / 32768, ".", i / 128 % 256, ".", i % 128 * 2, ".0/24"));
  }
  const Address address = *Address::Parse("10.0.104.217");
  for (auto _ : state) benchmark::DoNotOptimize(set.Contains(address));
}
BENCHMARK(BM_CidrSetContains)->Arg(10)->Arg(1000)->Arg(100000);

void BM_DomainSetContains(benchmark::State& state) {
  DomainSet set;
  for (const char* entry : {"*.arpa", "*.lan", "*.local", "*.internal"}) (void)set.Add(entry);
  for (auto _ : state) benchmark::DoNotOptimize(set.Contains("a.long.name.of.cdn.example.com"));
}
BENCHMARK(BM_DomainSetContains);

void BM_RegistrableDomain(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(RegistrableDomain("a.long.cdn.example.co.uk"));
}
BENCHMARK(BM_RegistrableDomain);

}  // namespace
}  // namespace nightjar::network
