#include "services/ae_forwarder/body_builder.h"

#include <algorithm>
#include <utility>

namespace nightjar::ae_forwarder {

void BodyBuilder::Add(absl::string_view type, const PendingBatchPtr& batch,
                      const telemetry::v1::Event& event, const EventKey& key, absl::Duration now,
                      std::vector<BodyPtr>* full) {
  BodyPtr& body = open_[std::string(type)];
  if (body == nullptr) {
    body = std::make_unique<Body>();
    body->type = std::string(type);
    body->opened = now;
  }
  if (body->batches.empty() || body->batches.back() != batch) body->batches.push_back(batch);
  analytics_api::AppendEventLine(dialect_, batch->index, event, &body->bytes);
  body->lines.push_back({static_cast<uint32_t>(body->bytes.size()),
                         static_cast<uint32_t>(body->batches.size() - 1), key});
  if (body->bytes.size() > limits_.bytes_max && body->lines.size() > 1) {
    BodyPtr next = SplitLast(body.get());
    next->opened = now;
    full->push_back(std::exchange(body, std::move(next)));
  }
  if (body->lines.size() >= limits_.events_max || body->bytes.size() >= limits_.bytes_max) {
    full->push_back(std::move(body));
    open_.erase(open_.find(type));
  }
}

BodyPtr BodyBuilder::SplitLast(Body* body) {
  auto next = std::make_unique<Body>();
  const size_t last = body->lines.size() - 1;
  const absl::string_view text = body->text(last);
  next->type = body->type;
  next->bytes = std::string(text);
  next->batches = {body->batches[body->lines[last].batch]};
  next->lines = {{static_cast<uint32_t>(text.size()), 0, body->lines[last].key}};
  body->bytes.resize(body->bytes.size() - text.size());
  body->lines.pop_back();
  return next;
}

std::vector<BodyPtr> BodyBuilder::Take(absl::Duration opened_until) {
  std::vector<BodyPtr> taken;
  for (auto body = open_.begin(); body != open_.end();) {
    if (body->second->opened > opened_until) {
      ++body;
      continue;
    }
    taken.push_back(std::move(body->second));
    body = open_.erase(body);
  }
  return taken;
}

absl::Duration BodyBuilder::oldest() const {
  absl::Duration oldest = absl::InfiniteDuration();
  for (const auto& [type, body] : open_) oldest = std::min(oldest, body->opened);
  return oldest;
}

}  // namespace nightjar::ae_forwarder
