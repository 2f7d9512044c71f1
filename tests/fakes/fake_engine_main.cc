// The counting engine as a program, for measurements and for trying things by hand.
#include <csignal>
#include <cstdio>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "tests/fakes/fake_engine.h"

int main(int argc, char** argv) {
  nightjar::fakes::FakeEngineOptions options;
  CLI::App app(
      "Counts what it is sent. GET /fake/stats tells; SIGUSR1 makes it fail with 503, SIGUSR2 "
      "heals it.");
  app.add_option("--port", options.port, "loopback port; 0: any");
  app.add_option("--api_key", options.api_key, "the key that clients must use");
  app.add_option("--id_log", options.id_log, "file for the id of every accepted event");
  CLI11_PARSE(app, argc, argv);

  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  nightjar::fakes::FakeEngine engine(options);
  std::printf("%s\n", engine.url().c_str());
  std::fflush(stdout);
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal == SIGUSR1) {
      engine.SetFault(nightjar::fakes::EngineFault{});
    } else if (signal == SIGUSR2) {
      engine.SetFault(std::nullopt);
    } else {
      break;
    }
  }
  const auto stats = engine.stats();
  std::printf("%s\n", absl::StrCat("posts ", stats.posts, " accepted ", stats.accepted,
                                   " distinct ", engine.accepted_ids().size())
                          .c_str());
}
