#include "services/alert_poller/alert_poller.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/runtime/main.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::alert_poller {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

AlertPoller::AlertPoller(const PollerConfig& config, const StageParts& parts)
    : config_(config), parts_(parts) {}

AlertPoller::~AlertPoller() { Shutdown(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<AlertPoller>> AlertPoller::Open(const PollerConfig& config,
                                                               const StageParts& parts,
                                                               Poller::OnAlerts on_alerts) {
  std::unique_ptr<AlertPoller> stage(new AlertPoller(config, parts));
  if (!config.enabled) {
    parts.monitor.SetIdleReason(config.destination);
    return stage;
  }
  ASSIGN_OR_RETURN(std::vector<scope::Group> groups, GroupsOf(config));
  RETURN_IF_ERROR(stage->OpenLog());
  RETURN_IF_ERROR(stage->OpenSinks());
  const PollerParts poller_parts = {*stage->log_, parts.metrics, parts.monitor, parts.clock};
  stage->poller_ = std::make_unique<Poller>(
      config.poller, poller_parts,
      [stage = stage.get(), on_alerts](absl::Span<const alerts::v1::Alert> alerts) {
        for (const auto& sink : stage->sinks_) sink->UpdateSpool();
        on_alerts(alerts);
      });
  stage->poller_->SetGroups(std::move(groups));
  return stage;
}

absl::Status AlertPoller::OpenLog() {
  AlertLogOptions options;
  options.folder = config_.state_folder + "/log";
  ASSIGN_OR_RETURN(log_, AlertLog::Open(parts_.files, parts_.clock, options));
  if (!log_->first_start()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string bookmark, NfrBookmark(config_.bookmark_file));
  if (bookmark.empty()) return absl::OkStatus();
  spdlog::info("first start: going on behind NFR's bookmark {} of {}", bookmark,
               config_.bookmark_file);
  return log_->Append({}, bookmark);
}

absl::Status AlertPoller::OpenSinks() {
  const SinkRunnerParts runner_parts = {*log_, parts_.files, parts_.metrics, parts_.monitor,
                                        parts_.clock};
  for (const SinkConfig& config : config_.sinks) {
    SinkRunnerOptions options;
    options.folder = absl::StrCat(config_.state_folder, "/sinks/", config.name);
    ASSIGN_OR_RETURN(auto runner, SinkRunner::Open(MakeSink(config, HostName(), runtime::Version(),
                                                            parts_.clock),
                                                   options, runner_parts));
    sinks_.push_back(std::move(runner));
  }
  return absl::OkStatus();
}

void AlertPoller::Start() {
  for (const auto& sink : sinks_) sink->Start();
  if (poller_ != nullptr) poller_->Start();
}

void AlertPoller::SetPaused(bool paused) {
  if (poller_ != nullptr) poller_->SetPaused(paused);
}

void AlertPoller::Reload() {
  if (poller_ == nullptr) return;
  for (const auto& sink : sinks_) sink->Reopen();
  poller_->ReloadApiKey();
  auto groups = GroupsOf(config_);
  if (!groups.ok()) {
    return parts_.monitor.SetCondition(
        "scope",
        absl::StrCat("not reloaded, the one before stays in force: ", groups.status().message()));
  }
  parts_.monitor.ClearCondition("scope");
  poller_->SetGroups(*std::move(groups));
}

void AlertPoller::Shutdown(absl::Duration deadline) {
  if (poller_ != nullptr) poller_->Shutdown();
  if (log_ != nullptr) log_->Stop();
  for (const auto& sink : sinks_) sink->Shutdown(deadline);
}

}  // namespace nightjar::alert_poller
