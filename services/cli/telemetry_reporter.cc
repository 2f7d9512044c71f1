#include "services/cli/telemetry_reporter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "services/cli/stage_client.h"
#include "services/cli/stages.h"
#include "spdlog/spdlog.h"

namespace nightjar::cli {
namespace {

constexpr absl::Duration kAnswerMax = absl::Seconds(2);

// Those that are searched for, in the order of the file.
std::vector<std::string> SearchedTypes(const config::ElasticConfig& elastic) {
  std::vector<std::string> types;
  for (const config::SearchConfig& search : elastic.searches) {
    constexpr const char* kNames[] = {"dns", "ip", "http", "tls"};  // as config::EventType
    const std::string type = kNames[static_cast<int>(search.event_type)];
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
  }
  return types;
}

}  // namespace

TelemetryReporter::TelemetryReporter(const config::Config& config, Clock& clock)
    : log_file_(config.log.file),
      clock_(clock),
      security_(SecurityOf(config)),
      reader_(config.services.es_reader.addresses.front()),
      forwarder_(config.services.ae_forwarder.addresses.front()),
      report_(SearchedTypes(config.elastic)) {}

TelemetryReporter::~TelemetryReporter() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TelemetryReporter::Start() {
  thread_ = std::thread([this] { Run(); });
}

void TelemetryReporter::Run() {
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (clock_.WaitFor(lock, changed_, kReportInterval, [this] { return stop_; })) return;
    }
    if (spdlog::should_log(spdlog::level::info)) Write(Report());
  }
}

std::string TelemetryReporter::Report() {
  const auto reader = Ask(reader_);
  if (!reader.ok()) {
    return UnreachableLine("es-reader", std::string(reader.status().message()), clock_.Now());
  }
  const auto forwarder = Ask(forwarder_);
  if (!forwarder.ok()) {
    return UnreachableLine("ae-forwarder", std::string(forwarder.status().message()), clock_.Now());
  }
  return report_.Lines(*reader, *forwarder, clock_.Now());
}

// A connection each time: nobody would notice on an idle one that the stage wants to stop, and it
// would wait for us.
absl::StatusOr<admin::v1::StageStatus> TelemetryReporter::Ask(const std::string& address) const {
  return StageClient(address, security_).GetStatus(kAnswerMax);
}

// One write, so that the lines of other processes do not come between. A log that cannot be written
// is the stages' to complain about.
void TelemetryReporter::Write(const std::string& lines) const {
  if (log_file_ == "stdout" || log_file_ == "stderr") {
    (void)!write(log_file_ == "stdout" ? STDOUT_FILENO : STDERR_FILENO, lines.data(), lines.size());
    return;
  }
  // Opened each time: rotation needs no word to us.
  const int fd = open(log_file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  (void)!write(fd, lines.data(), lines.size());
  close(fd);
}

}  // namespace nightjar::cli
