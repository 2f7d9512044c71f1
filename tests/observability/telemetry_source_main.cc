// A fake Elasticsearch into which telemetry keeps coming, for stages that tests look at from
// outside. Prints its URL; ends at SIGTERM.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/e2e/telemetry.h"
#include "tests/fakes/fake_elasticsearch.h"

namespace {

constexpr char kIndex[] = "packetbeat-7.17.29-2026.11.24";
constexpr long kTickNanoseconds = 100'000'000;

void Add(uint64_t id, nightjar::fakes::FakeElasticsearch& elastic) {
  nightjar::e2e::DocumentOptions document;
  document.time = absl::FromTimeT(std::time(nullptr));
  elastic.Index(kIndex, absl::StrCat("nj", id, "x"),
                nightjar::e2e::MakeDocument(nightjar::e2e::MixedType(id), id, document),
                static_cast<int>(id % 2));
}

}  // namespace

int main(int argc, char** argv) {
  int documents_a_tick = 20;
  CLI::App app("A fake Elasticsearch with telemetry that keeps coming.");
  app.add_option("--documents", documents_a_tick, "every 100 ms");
  CLI11_PARSE(app, argc, argv);
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  nightjar::fakes::FakeElasticsearch elastic;
  elastic.CreateIndex(kIndex, 2);
  elastic.Index(kIndex, "broken", R"({"@timestamp":7,"type":"dns","dns":"no object"})");
  std::printf("%s\n", elastic.url().c_str());
  std::fflush(stdout);
  const timespec tick{0, kTickNanoseconds};
  uint64_t id = 0;
  while (sigtimedwait(&signals, nullptr, &tick) < 0) {
    for (int i = 0; i < documents_a_tick; ++i) Add(++id, elastic);
  }
}
