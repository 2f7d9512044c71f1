#include "services/common/runtime/tap_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/metrics/ledger.h"
#include "services/common/network/address.h"
#include "services/common/runtime/printable.h"

namespace nightjar::runtime {
namespace {

using admin::v1::TapRequest;
using admin::v1::TapResponse;
using telemetry::v1::Batch;
using telemetry::v1::Event;

constexpr size_t kQueueEventsMax = 256;
constexpr size_t kQueueBytesMax = 4 << 20;
constexpr uint32_t kRateDefault = 10;
constexpr uint32_t kRateMax = 100;
constexpr uint32_t kScoreMax = 100;

}  // namespace

bool TapFilter::Matches(const Event& event) const {
  if (!type.empty() && metrics::TypeName(event) != type) return false;
  if (!ip.empty() && event.source_ip() != ip && event.destination_ip() != ip) return false;
  return event.score().value() >= score_min;
}

absl::StatusOr<TapFilter> ParseTapFilter(const TapRequest& request) {
  TapFilter filter;
  filter.type = request.type();
  const auto& names = metrics::kTypeNames;
  const bool known = std::find(names.begin(), names.end(), filter.type) != names.end();
  if (!filter.type.empty() && !known) {
    return absl::InvalidArgumentError(
        absl::StrCat("type is \"", Printable(filter.type, 64),
                     "\"; it must be dns, ip, http, tls, icmp, lease, other or empty"));
  }
  if (!request.ip().empty()) {
    const auto address = network::Address::Parse(request.ip());
    if (!address) {
      return absl::InvalidArgumentError(
          absl::StrCat("ip is \"", Printable(request.ip(), 64), "\"; it must be one address"));
    }
    filter.ip = address->ToString();
  }
  if (request.score_min() > kScoreMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("score_min is ", request.score_min(), "; it must be 0 to ", kScoreMax));
  }
  filter.score_min = request.score_min();
  return filter;
}

absl::StatusOr<uint32_t> TapRate(const TapRequest& request) {
  const uint32_t rate = request.events_per_second_max();
  if (rate > kRateMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("events_per_second_max is ", rate, "; it must be 1 to ", kRateMax));
  }
  return rate == 0 ? kRateDefault : rate;
}

TapStream::TapStream(TapFilter filter, uint32_t events_per_second, Clock& clock,
                     std::function<void(TapStream*)> on_done)
    : StreamWriter(kQueueEventsMax, kQueueBytesMax),
      filter_(std::move(filter)),
      clock_(clock),
      on_done_(std::move(on_done)),
      bucket_(events_per_second, clock.Monotonic()) {
  StartSendInitialMetadata();  // tells the peer that the tap is open, before any event matches
}

void TapStream::Offer(const Batch& batch, const Event& event) {
  if (!filter_.Matches(event)) return;
  if (!bucket_.Take(clock_.Monotonic())) {
    ++skipped_;
    return;
  }
  TapResponse response;
  response.set_index(batch.index());
  *response.mutable_event() = event;
  response.set_skipped(skipped_);
  skipped_ = Push(std::move(response)) ? 0 : skipped_ + 1;
}

void TapStream::OnDone() {
  on_done_(this);
  StreamWriter::OnDone();
}

}  // namespace nightjar::runtime
