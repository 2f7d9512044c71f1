#include "services/alert_poller/poller.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "services/alert_poller/group_labels.h"

namespace nightjar::alert_poller {
namespace {

using alerts::v1::Alert;
using analytics_api::AlertsPage;

// Failures in a row before the stage says that something is wrong.
constexpr int kFailuresUntilReported = 3;
// Pages in a row that say `more` behind a bookmark that was used before.
constexpr int kRepeatsMax = 3;
constexpr size_t kRecentFollowsMax = 64;
// The embedded engine makes a key at its first start, which may be under way.
constexpr absl::Duration kNoKeyWait = absl::Seconds(1);

bool IsKeyRefused(const absl::Status& status) {
  return absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status);
}

std::string ResultOf(const absl::Status& status) {
  if (IsKeyRefused(status)) return "unauthorized";
  if (absl::IsInvalidArgument(status)) return "refused";
  if (absl::IsResourceExhausted(status)) return "throttled";
  if (absl::IsDeadlineExceeded(status)) return "timeout";
  return "failed";
}

}  // namespace

Poller::Poller(PollerOptions options, const PollerParts& parts, OnAlerts on_alerts)
    : options_(std::move(options)),
      parts_(parts),
      on_alerts_(std::move(on_alerts)),
      client_(options_.engine),
      account_(parts.metrics, parts.clock),
      backoff_(options_.backoff),
      groups_(std::make_shared<const std::vector<scope::Group>>()),
      api_key_(options_.engine.api_key) {}

Poller::~Poller() { Shutdown(); }

void Poller::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Poller::Run() {
  absl::Duration wait = absl::ZeroDuration();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    parts_.clock.WaitFor(lock, changed_, wait, [this] { return stopping_ || hurry_; });
    parts_.clock.WaitFor(lock, changed_, absl::InfiniteDuration(),
                         [this] { return stopping_ || !paused_; });
    if (stopping_) return;
    hurry_ = false;
    lock.unlock();
    wait = Step();
    lock.lock();
  }
}

absl::Duration Poller::Step() {
  AlertsPage page;
  analytics_api::Exchange exchange;
  const absl::Status status = client_.Alerts(parts_.log.follow(), &page, &exchange);
  if (absl::IsCancelled(status)) return absl::ZeroDuration();
  parts_.metrics.gauge("nightjar_poller_engine_up", "1 while the engine answers polls.")
      .Set(status.ok() ? 1 : 0);
  parts_.monitor.SetPeer("engine", exchange.host, status.ok(), std::string(status.message()));
  if (!status.ok()) return Failed(status, exchange.retry_after);
  CountPoll("ok");
  backoff_.Reset();
  parts_.monitor.ClearCondition("engine");
  const absl::Duration wait = Take(std::move(page));
  account_.Look(client_);
  return wait;
}

// A page is on disk before the next one is asked for.
absl::Duration Poller::Take(AlertsPage page) {
  const std::string before = parts_.log.follow();
  const std::string& follow = page.follow.empty() ? before : page.follow;
  const bool repeat = IsRepeat(page.follow);
  const size_t given = page.alerts.size();
  const std::vector<Alert> fresh = Fresh(std::move(page.alerts), repeat);
  if (!fresh.empty() || follow != before) {
    const absl::Status status = parts_.log.Append(fresh, follow);
    if (!status.ok()) {
      parts_.monitor.SetCondition(
          "state", absl::StrCat(status.message(), ". No alert is lost: they are fetched again"));
      return options_.state_retry_wait;
    }
  }
  parts_.monitor.ClearCondition("state");
  CountAlerts("new", fresh.size());
  CountAlerts("repeated", given - fresh.size());
  if (!fresh.empty()) on_alerts_(fresh);
  recent_follows_.push_back(before);
  if (recent_follows_.size() > kRecentFollowsMax) recent_follows_.pop_front();
  const bool loop = IsLoop(follow, repeat && page.more);
  return page.more && !loop ? absl::ZeroDuration() : options_.poll_interval;
}

// Those that were not given before, with their groups.
std::vector<Alert> Poller::Fresh(std::vector<Alert> alerts, bool repeat) {
  std::shared_ptr<const std::vector<scope::Group>> groups;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    groups = groups_;
  }
  std::vector<Alert> fresh;
  for (Alert& alert : alerts) {
    // Alerts without an id of the engine's may well be alike; only a page that comes again tells
    // that they are the same.
    const bool comparable = repeat || analytics_api::HasEngineId(alert);
    if (comparable && parts_.log.HasRecent(alert.id())) continue;
    LabelGroups(*groups, &alert);
    fresh.push_back(std::move(alert));
  }
  return fresh;
}

// Too many in a row of pages that came again and say `more` (`again`).
bool Poller::IsLoop(const std::string& follow, bool again) {
  repeats_ = again ? repeats_ + 1 : 0;
  if (repeats_ == 0) parts_.monitor.ClearCondition("engine_alerts");
  if (repeats_ <= kRepeatsMax) return false;
  parts_.monitor.SetCondition(
      "engine_alerts",
      absl::StrCat("the engine says that more alerts follow, but gives the same bookmarks again (",
                   follow, "); asked again in ", absl::FormatDuration(options_.poll_interval)));
  return true;
}

// No bookmark, the one that was asked with, or one from before.
bool Poller::IsRepeat(const std::string& follow) const {
  return follow.empty() || follow == parts_.log.follow() ||
         std::find(recent_follows_.begin(), recent_follows_.end(), follow) != recent_follows_.end();
}

absl::Duration Poller::Failed(const absl::Status& status,
                              std::optional<absl::Duration> retry_after) {
  CountPoll(ResultOf(status));
  parts_.monitor.RecordError(status.message());
  const bool capped = retry_after.has_value() && *retry_after > options_.backoff.retry_after_max;
  const bool slow = IsKeyRefused(status) || !delivery::IsRetryable(status);
  if (slow && !retry_after.has_value()) retry_after = options_.hold_wait;
  const absl::Duration wait = backoff_.Next(retry_after);
  std::string text(status.message());
  if (IsKeyRefused(status)) {
    absl::StrAppend(&text, ". No alert is lost; correct engine.api_key and send SIGHUP");
  } else if (absl::IsInvalidArgument(status)) {
    absl::StrAppend(&text, ". The bookmark is \"", parts_.log.follow(),
                    "\"; to fetch again every alert that the engine keeps, stop the stage and move "
                    "its folder `log` away");
  }
  if (capped) {
    absl::StrAppend(&text, ". It asked for a wait of more than ",
                    absl::FormatDuration(options_.backoff.retry_after_max),
                    ", which is cut to that");
  }
  if (slow || capped || backoff_.attempts() >= kFailuresUntilReported) {
    parts_.monitor.SetCondition("engine", text);
  }
  if (!IsKeyRefused(status)) return wait;
  if (TakeApiKey()) return absl::ZeroDuration();
  std::lock_guard<std::mutex> lock(mutex_);
  return api_key_.empty() ? std::min(wait, kNoKeyWait) : wait;
}

void Poller::CountPoll(const std::string& result) {
  parts_.metrics
      .counter("nightjar_poller_polls_total", "Polls of the engine by what came of them.",
               {{"result", result}})
      .Increment();
}

void Poller::CountAlerts(const std::string& result, size_t alerts) {
  parts_.metrics
      .counter("nightjar_poller_alerts_total", "Alerts that the engine gave.", {{"result", result}})
      .Increment(static_cast<double>(alerts));
}

void Poller::SetPaused(bool paused) {
  std::lock_guard<std::mutex> lock(mutex_);
  paused_ = paused;
  changed_.notify_all();
}

void Poller::SetGroups(std::vector<scope::Group> groups) {
  std::lock_guard<std::mutex> lock(mutex_);
  groups_ = std::make_shared<const std::vector<scope::Group>>(std::move(groups));
}

void Poller::ReloadApiKey() {
  if (!TakeApiKey()) return;
  std::lock_guard<std::mutex> lock(mutex_);
  hurry_ = true;
  changed_.notify_all();
}

// True when there is another key than the one in use.
bool Poller::TakeApiKey() {
  const auto key = options_.read_api_key();
  if (!key.ok()) {
    parts_.monitor.SetCondition("api_key", std::string(key.status().message()));
    return false;
  }
  parts_.monitor.ClearCondition("api_key");
  std::lock_guard<std::mutex> lock(mutex_);
  if (key->reveal() == api_key_.reveal()) return false;
  api_key_ = *key;
  client_.SetApiKey(*key);
  return true;
}

void Poller::Shutdown() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  client_.Cancel();
  if (thread_.joinable()) thread_.join();
}

}  // namespace nightjar::alert_poller
