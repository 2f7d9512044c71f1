#include "services/es_reader/page_builder.h"

#include <memory>

#include "services/common/metrics/ledger.h"

namespace nightjar::es_reader {
namespace {

// Of one event within a batch: tag and length.
constexpr size_t kEventOverheadBytes = 6;

}  // namespace

void PageBuilder::StartBatch() {
  auto message = std::make_unique<rpc::BatchMessage>();
  telemetry::v1::Batch& batch = message->batch();
  batch.set_epoch(context_.epoch);
  batch.set_fencing_token(context_.fencing_token);
  batch.set_index(context_.index);
  batch.set_window_from(context_.window_from);
  batch.set_window_to(context_.window_to);
  batch.set_identity(context_.identity);
  batch_bytes_ = batch.ByteSizeLong();
  page_.batches.push_back(std::move(message));
}

telemetry::v1::Event* PageBuilder::NewEvent() {
  if (page_.batches.empty() ||
      page_.batches.back()->batch().events_size() >= rpc::kBatchEventsMax) {
    StartBatch();
  }
  return page_.batches.back()->batch().add_events();
}

void PageBuilder::Done(telemetry::v1::Event* event, DecodeOutcome outcome) {
  const absl::string_view type = metrics::TypeName(*event);
  const int64_t seq_no = static_cast<int64_t>(event->seq_no());
  page_.seq_nos.push_back(seq_no);
  ++page_.read[type];
  if (outcome.kind == DecodeOutcome::Kind::kEvent && seq_no <= context_.first_checkpoint &&
      event->time_unix_nano() != 0 &&
      absl::FromUnixNanos(event->time_unix_nano()) < context_.start) {
    outcome.kind = DecodeOutcome::Kind::kFiltered;
    outcome.reason = "before_start";
  }
  if (outcome.kind == DecodeOutcome::Kind::kEvent) return Keep(*event);
  ++page_.ended_here;
  if (outcome.kind == DecodeOutcome::Kind::kFiltered) {
    ++page_.filtered_counts[{outcome.reason, type}];
  } else {
    ++page_.quarantined_counts[{outcome.reason, type}];
    page_.quarantined.push_back({context_.index, context_.epoch, seq_no, event->document_id(),
                                 std::string(outcome.reason), std::move(outcome.detail)});
  }
  page_.batches.back()->batch().mutable_events()->RemoveLast();
}

void PageBuilder::Keep(const telemetry::v1::Event& event) {
  const size_t bytes = event.ByteSizeLong() + kEventOverheadBytes;
  const rpc::BatchMessage& full = *page_.batches.back();
  if (batch_bytes_ + bytes > rpc::kBatchBytesMax && full.batch().events_size() > 1) {
    const size_t last = page_.batches.size() - 1;
    StartBatch();
    *page_.batches.back()->batch().add_events() = event;
    page_.batches[last]->batch().mutable_events()->RemoveLast();
  }
  batch_bytes_ += bytes;
}

Page PageBuilder::Finish() {
  if (!page_.batches.empty() && page_.batches.back()->batch().events_size() == 0) {
    page_.batches.pop_back();
  }
  return std::move(page_);
}

}  // namespace nightjar::es_reader
