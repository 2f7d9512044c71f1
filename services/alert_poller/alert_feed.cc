#include "services/alert_poller/alert_feed.h"

#include "absl/strings/str_cat.h"
#include "services/common/rpc/grpc_status.h"
#include "services/common/rpc/settings.h"
#include "services/common/runtime/stream_writer.h"
#include "services/common/status/check.h"

namespace nightjar::alert_poller {
namespace {

using alerts::v1::Alert;

constexpr size_t kSubscriptionsMax = 32;
constexpr size_t kQueueAlertsMax = 1000;
constexpr size_t kQueueBytesMax = 8 << 20;

}  // namespace

class AlertFeed::Subscription final : public runtime::StreamWriter<Alert> {
 public:
  explicit Subscription(AlertFeed& feed)
      : StreamWriter(kQueueAlertsMax, kQueueBytesMax), feed_(feed) {}

  void OnDone() override {
    feed_.Forget(this);
    StreamWriter::OnDone();
  }

 private:
  AlertFeed& feed_;
};

AlertFeed::AlertFeed(const rpc::Security& security) : security_(security) {
  rpc::PinCallbackQueue();
}

AlertFeed::~AlertFeed() {
  std::lock_guard<std::mutex> lock(mutex_);
  CHECK(subscriptions_.empty());  // the server was shut down
}

void AlertFeed::Publish(absl::Span<const Alert> alerts) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (Subscription* subscription : subscriptions_) {
    for (const Alert& alert : alerts) {
      if (subscription->Push(alert)) continue;
      subscription->End(grpc::Status(
          grpc::StatusCode::RESOURCE_EXHAUSTED,
          absl::StrCat("too slow: more than ", kQueueAlertsMax, " alerts or ", kQueueBytesMax >> 20,
                       " MiB were waiting; subscribe again for what comes")));
      break;
    }
  }
}

void AlertFeed::EndAll() {
  std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  for (Subscription* subscription : subscriptions_) {
    subscription->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the stage is stopping"));
  }
}

grpc::ServerWriteReactor<Alert>* AlertFeed::Subscribe(grpc::CallbackServerContext* context,
                                                      const alerts::v1::SubscribeRequest*) {
  absl::Status allowed =
      security_.Authorize(*context->auth_context(), context->peer(), rpc::Role::kTap);
  std::lock_guard<std::mutex> lock(mutex_);
  if (allowed.ok() && ended_) allowed = absl::UnavailableError("the stage is stopping");
  if (allowed.ok() && subscriptions_.size() >= kSubscriptionsMax) {
    allowed = absl::ResourceExhaustedError(
        absl::StrCat("there are ", kSubscriptionsMax, " subscribers already"));
  }
  if (!allowed.ok()) return new runtime::RefusedStream<Alert>(rpc::ToGrpc(allowed));
  auto* subscription = new Subscription(*this);
  subscriptions_.insert(subscription);
  subscription->StartSendInitialMetadata();  // the subscriber knows that it is one
  return subscription;
}

void AlertFeed::Forget(Subscription* subscription) {
  std::lock_guard<std::mutex> lock(mutex_);
  subscriptions_.erase(subscription);
}

}  // namespace nightjar::alert_poller
