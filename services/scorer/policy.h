// The files that decide what is sent, and their reload while events flow.
#ifndef SERVICES_SCORER_POLICY_H_
#define SERVICES_SCORER_POLICY_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/common/clock/clock.h"
#include "services/common/metrics/metrics.h"
#include "services/common/runtime/stage_monitor.h"
#include "services/scorer/config.h"
#include "services/scorer/event_filter.h"

namespace nightjar::scorer {

// How often the files are looked at for a change.
inline constexpr absl::Duration kFileCheckInterval = absl::Seconds(5);

// Whether the scope file and the lists can be used, without taking them. Exit code 78 when not.
absl::Status CheckFiles(const ScorerConfig& config);

// Holds the event filter in force. A file that cannot be used keeps what was in force before, sets
// the condition "scope" or "lists" with the reason, and is tried again when it changes or at the
// next Reload. Thread-safe. References outlive it.
class Policy {
 public:
  Policy(const ScorerConfig& config, runtime::StageMonitor& monitor, metrics::Metrics& metrics,
         Clock& clock);

  // The first load, before anything else: here errors are final and carry exit code 78.
  absl::Status Load();

  // Everything anew (SIGHUP).
  void Reload();
  // What has changed on disk; looks at most every kFileCheckInterval.
  void ReloadChanged();

  // For one batch; holding on to it longer keeps an old one alive.
  std::shared_ptr<const EventFilter> filter() const;

 private:
  // One thing that is made of files.
  struct Source {
    std::string name;  // of the condition and in metrics
    std::vector<std::string> paths;
    std::string fingerprint;  // of the paths when last tried
  };

  absl::Status LoadScope();
  absl::Status LoadLists();
  absl::Status LoadSource(const Source& source);
  void ReloadSource(Source& source);
  void MakeFilter();

  const ScorerConfig config_;
  runtime::StageMonitor& monitor_;
  metrics::Metrics& metrics_;
  Clock& clock_;

  std::mutex reload_mutex_;  // one reload at a time; guards the following
  Source scope_source_;
  Source lists_source_;
  absl::Duration checked_at_;
  std::shared_ptr<const Scope> scope_;
  std::shared_ptr<const signals::SignalSet> signals_;

  mutable std::mutex filter_mutex_;  // never held for long
  std::shared_ptr<const EventFilter> filter_;
};

}  // namespace nightjar::scorer

#endif  // SERVICES_SCORER_POLICY_H_
