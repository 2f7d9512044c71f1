// Per-event signals: what is odd about one event by itself, with points and evidence.
//
// Shared by the scorer and the engine, so that both judge alike. The value of a score is the
// strongest signal plus a quarter of the points of all others, at most 100: one strong reason
// outweighs many weak ones, yet these add up. Nothing lowers a list hit, least of all the
// popularity of the name.
#ifndef SERVICES_COMMON_SIGNALS_SIGNALS_H_
#define SERVICES_COMMON_SIGNALS_SIGNALS_H_

#include <memory>
#include <string>
#include <vector>

#include "proto/telemetry/v1/event.pb.h"
#include "services/common/signals/facts.h"
#include "services/common/signals/lists.h"
#include "services/common/signals/rules.h"

namespace nightjar::signals {

// Immutable, thread-safe. About half a microsecond an event.
class SignalSet {
 public:
  // `bad_tlds` without dots; empty: DefaultBadTlds().
  SignalSet(std::shared_ptr<const ListSet> lists, const std::vector<std::string>& bad_tlds);

  // Replaces the contents of `score`, which may be part of the facts' own event. Without any signal
  // it ends empty.
  void Evaluate(const Facts& facts, telemetry::v1::Score* score) const;

 private:
  const std::shared_ptr<const ListSet> lists_;
  RuleSettings settings_;
  std::vector<const Rule*>
      rules_by_body_[telemetry::v1::Event::kIcmp + 1];  // index: Event::BodyCase
};

}  // namespace nightjar::signals

#endif  // SERVICES_COMMON_SIGNALS_SIGNALS_H_
