#include "services/alert_poller/account_watch.h"

#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "spdlog/spdlog.h"

namespace nightjar::alert_poller {

void AccountWatch::Look(analytics_api::EngineClient& client) {
  const absl::Duration now = clock_.Monotonic();
  if (now < ask_at_) return;
  analytics_api::AccountReply account;
  analytics_api::Exchange exchange;
  const absl::Status status = client.Account(&account, &exchange);
  if (absl::IsCancelled(status)) return;
  ask_at_ = now + (status.ok() ? kAskEvery : kAskAgain);
  metrics_
      .counter("nightjar_poller_account_checks_total", "Questions for the state of the account.",
               {{"result", status.ok() ? "ok" : "failed"}})
      .Increment();
  if (!status.ok()) return spdlog::debug("account: {}", std::string(status.message()));
  metrics_.gauge("nightjar_poller_account_expired", "1 when the engine says so.")
      .Set(account.expired ? 1 : 0);
  if (!account.expires.has_value()) return;
  metrics_
      .gauge("nightjar_poller_account_expiry_timestamp_seconds",
             "When the account runs out, if the engine says.")
      .Set(absl::ToDoubleSeconds(*account.expires - absl::UnixEpoch()));
}

}  // namespace nightjar::alert_poller
