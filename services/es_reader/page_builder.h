// From the documents of one page to batches that can be sent, and the accounts of what stays here.
#ifndef SERVICES_ES_READER_PAGE_BUILDER_H_
#define SERVICES_ES_READER_PAGE_BUILDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/telemetry/v1/flow.pb.h"
#include "services/common/rpc/batch_message.h"
#include "services/es_reader/quarantine.h"
#include "services/es_reader/schema/page_decoder.h"

namespace nightjar::es_reader {

// What all documents of a page have in common.
struct PageContext {
  std::string index;
  std::string epoch;
  uint64_t fencing_token = 0;
  int64_t window_from = -1;
  int64_t window_to = -1;
  telemetry::v1::Identity identity = telemetry::v1::IDENTITY_SEQ_NO;
  // Documents numbered up to `first_checkpoint` and older than `start` are left out (the start
  // policy).
  int64_t first_checkpoint = -1;
  absl::Time start = absl::InfinitePast();
};

// What became of a page.
struct Page {
  std::vector<rpc::BatchPtr> batches;          // none of them empty
  std::vector<int64_t> seq_nos;                // of every document
  std::map<absl::string_view, uint64_t> read;  // by type, of every document
  std::vector<QuarantinedDocument> quarantined;
  // Filtered here and quarantined, by reason and type.
  std::map<std::pair<absl::string_view, absl::string_view>, uint64_t> filtered_counts;
  std::map<std::pair<absl::string_view, absl::string_view>, uint64_t> quarantined_counts;
  uint64_t ended_here = 0;  // documents in the two maps
  uint64_t bytes = 0;       // of the reply
  absl::Duration took;
};

// One per page. Not thread-safe.
class PageBuilder final : public PageSink {
 public:
  explicit PageBuilder(PageContext context) : context_(std::move(context)) {}

  telemetry::v1::Event* NewEvent() override;
  void Done(telemetry::v1::Event* event, DecodeOutcome outcome) override;

  Page Finish();

 private:
  void StartBatch();
  void Keep(const telemetry::v1::Event& event);

  const PageContext context_;
  Page page_;
  size_t batch_bytes_ = 0;  // of the last batch, encoded
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_PAGE_BUILDER_H_
