// nightjar.alerts.v1.AlertFeed: alerts as they arrive, for those who watch.
#ifndef SERVICES_ALERT_POLLER_ALERT_FEED_H_
#define SERVICES_ALERT_POLLER_ALERT_FEED_H_

#include <functional>
#include <mutex>
#include <set>

#include "absl/types/span.h"
#include "proto/alerts/v1/alert_feed_service.grpc.pb.h"
#include "services/common/rpc/security.h"

namespace nightjar::alert_poller {

// Nobody waits for a subscriber: one that falls behind its queue is ended with RESOURCE_EXHAUSTED.
// Thread-safe. Outlives the server it is registered with; `security` outlives it.
class AlertFeed final : public alerts::v1::AlertFeed::CallbackService {
 public:
  explicit AlertFeed(const rpc::Security& security);
  ~AlertFeed() override;

  void Publish(absl::Span<const alerts::v1::Alert> alerts);
  std::function<void(absl::Span<const alerts::v1::Alert>)> publisher() {
    return [this](absl::Span<const alerts::v1::Alert> alerts) { Publish(alerts); };
  }
  // Ends every call, which would go on for ever, and refuses new ones.
  void EndAll();

  grpc::ServerWriteReactor<alerts::v1::Alert>* Subscribe(
      grpc::CallbackServerContext* context, const alerts::v1::SubscribeRequest* request) override;

 private:
  class Subscription;
  void Forget(Subscription* subscription);

  const rpc::Security& security_;
  std::mutex mutex_;
  std::set<Subscription*> subscriptions_;
  bool ended_ = false;
};

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_ALERT_FEED_H_
