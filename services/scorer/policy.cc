#include "services/scorer/policy.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/counter.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::scorer {
namespace {

// Changes whenever a file is written, replaced, removed or made unreadable.
std::string Fingerprint(const std::vector<std::string>& paths) {
  std::string text;
  for (const std::string& path : paths) {
    struct stat info {};
    const int failure = stat(path.c_str(), &info) == 0 ? 0 : errno;
    absl::StrAppend(&text, failure, " ", info.st_ino, " ", info.st_size, " ", info.st_mtim.tv_sec,
                    ".", info.st_mtim.tv_nsec, "\n");
  }
  return text;
}

std::vector<std::string> ListPaths(const std::vector<signals::ListFile>& lists) {
  std::vector<std::string> paths;
  paths.reserve(lists.size());
  for (const auto& list : lists) paths.push_back(list.path);
  return paths;
}

absl::StatusOr<std::vector<scope::Group>> GroupsOf(const ScorerConfig& config) {
  if (config.scope_file.empty()) return scope::DefaultGroups();
  return scope::LoadGroups(config.scope_file);
}

}  // namespace

absl::Status CheckFiles(const ScorerConfig& config) {
  RETURN_IF_ERROR(GroupsOf(config).status());
  return signals::ListSet::Load(config.lists).status();
}

Policy::Policy(const ScorerConfig& config, runtime::StageMonitor& monitor,
               metrics::Metrics& metrics, Clock& clock)
    : config_(config), monitor_(monitor), metrics_(metrics), clock_(clock) {
  scope_source_.name = "scope";
  if (!config_.scope_file.empty()) scope_source_.paths = {config_.scope_file};
  lists_source_.name = "lists";
  lists_source_.paths = ListPaths(config_.lists);
}

absl::Status Policy::Load() {
  std::lock_guard<std::mutex> lock(reload_mutex_);
  for (Source* source : {&scope_source_, &lists_source_}) {
    source->fingerprint = Fingerprint(source->paths);
    RETURN_IF_ERROR(LoadSource(*source));
  }
  checked_at_ = clock_.Monotonic();
  MakeFilter();
  return absl::OkStatus();
}

absl::Status Policy::LoadSource(const Source& source) {
  return &source == &scope_source_ ? LoadScope() : LoadLists();
}

absl::Status Policy::LoadScope() {
  ASSIGN_OR_RETURN(std::vector<scope::Group> groups, GroupsOf(config_));
  spdlog::info("scope: {}, groups: {}{}",
               config_.scope_file.empty() ? "built-in" : config_.scope_file, groups.size(),
               groups.empty() ? " (every event is in scope)" : "");
  scope_ = std::make_shared<const Scope>(std::move(groups), config_.kind);
  return absl::OkStatus();
}

absl::Status Policy::LoadLists() {
  ASSIGN_OR_RETURN(auto lists, signals::ListSet::Load(config_.lists));
  spdlog::info("lists: {}, entries: {}", config_.lists.size(), lists->entries());
  signals_ = std::make_shared<const signals::SignalSet>(std::move(lists), config_.bad_tlds);
  return absl::OkStatus();
}

void Policy::Reload() {
  std::lock_guard<std::mutex> lock(reload_mutex_);
  for (Source* source : {&scope_source_, &lists_source_}) ReloadSource(*source);
}

void Policy::ReloadChanged() {
  std::lock_guard<std::mutex> lock(reload_mutex_);
  if (clock_.Monotonic() - checked_at_ < kFileCheckInterval) return;
  checked_at_ = clock_.Monotonic();
  for (Source* source : {&scope_source_, &lists_source_}) {
    if (Fingerprint(source->paths) != source->fingerprint) ReloadSource(*source);
  }
}

void Policy::ReloadSource(Source& source) {
  // Taken before reading: a write in between is seen as a change at the next look.
  source.fingerprint = Fingerprint(source.paths);
  const absl::Status status = LoadSource(source);
  metrics_
      .counter("nightjar_scorer_reloads_total", "Reloads of the scope file or the lists.",
               {{"source", source.name}, {"result", status.ok() ? "ok" : "refused"}})
      .Increment();
  if (!status.ok()) {
    monitor_.SetCondition(source.name, absl::StrCat("not reloaded, the one before stays in force: ",
                                                    status.message()));
    return;
  }
  monitor_.ClearCondition(source.name);
  MakeFilter();
}

void Policy::MakeFilter() {
  auto filter = std::make_shared<const EventFilter>(scope_, signals_,
                                                    FlowRules(config_.emit, config_.flow_period),
                                                    config_.kind, config_.threshold);
  std::lock_guard<std::mutex> lock(filter_mutex_);
  filter_ = std::move(filter);
}

std::shared_ptr<const EventFilter> Policy::filter() const {
  std::lock_guard<std::mutex> lock(filter_mutex_);
  return filter_;
}

}  // namespace nightjar::scorer
