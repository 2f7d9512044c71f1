#include "services/cli/status.h"

#include <unistd.h>

#include <cstdio>
#include <future>
#include <utility>
#include <vector>

#include "services/cli/stage_client.h"
#include "services/cli/stages.h"
#include "services/cli/status_json.h"
#include "services/cli/status_screen.h"

namespace nightjar::cli {
namespace {

constexpr absl::Duration kAnswerMax = absl::Seconds(3);
constexpr absl::Duration kWatchInterval = absl::Seconds(2);
constexpr char kClearScreen[] = "\033[H\033[2J";

struct Peer {
  std::string stage;
  std::string address;
};

// In the direction of the data.
std::vector<Peer> Peers(const config::Config& config) {
  const std::vector<Stage> stages = DeployedStages(config);
  std::vector<Peer> peers;
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
    for (const std::string& address : stage->addresses) {
      peers.push_back({stage->name, address});
    }
  }
  return peers;
}

// All at once: those that do not answer delay the screen only once. A connection each time: a stage
// that wants to stop would wait for an idle one.
std::vector<StageReport> Ask(const std::vector<Peer>& peers, const rpc::Security& security) {
  std::vector<std::future<absl::StatusOr<admin::v1::StageStatus>>> answers;
  answers.reserve(peers.size());
  for (const Peer& peer : peers) {
    answers.push_back(std::async(std::launch::async, [&peer, &security] {
      return StageClient(peer.address, security).GetStatus(kAnswerMax);
    }));
  }
  std::vector<StageReport> reports;
  for (size_t i = 0; i < peers.size(); ++i) {
    reports.push_back({peers[i].stage, peers[i].address, answers[i].get()});
  }
  return reports;
}

void Pause(Clock& clock) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock<std::mutex> lock(mutex);
  clock.WaitFor(lock, never, kWatchInterval, [] { return false; });
}

}  // namespace

int RunStatus(const config::Config& config, const StatusOptions& options, Clock& clock) {
  const rpc::Security security = SecurityOf(config);
  const std::vector<Peer> peers = Peers(config);
  for (;;) {
    const std::vector<StageReport> reports = Ask(peers, security);
    const std::string text =
        options.json ? StatusJson(reports, clock.Now()) : StatusScreen(reports, clock.Now());
    const bool clear = options.watch && !options.json && isatty(STDOUT_FILENO) != 0;
    std::printf("%s%s", clear ? kClearScreen : "", text.c_str());
    // Whoever reads the output may have gone.
    if (std::fflush(stdout) != 0 || !options.watch) return AllReady(reports) ? 0 : 1;
    if (!options.json && !clear) std::printf("\n");
    Pause(clock);
  }
}

}  // namespace nightjar::cli
