// From a page of search hits to events: the envelope is verified, every hit becomes one event or
// one named reason.
#ifndef SERVICES_ES_READER_SCHEMA_PAGE_DECODER_H_
#define SERVICES_ES_READER_SCHEMA_PAGE_DECODER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/telemetry/v1/event.pb.h"
#include "services/common/http/http_client.h"
#include "services/es_reader/elastic/types.h"
#include "services/es_reader/schema/decoder_options.h"

namespace nightjar::es_reader {

// How the decoding of one document ended.
struct DecodeOutcome {
  enum class Kind {
    kEvent,        // goes on
    kFiltered,     // the user's searches do not want it
    kQuarantined,  // cannot be made into an event
  };
  Kind kind = Kind::kEvent;
  // snake_case, static. Filtered: must_have_field, search_term, not_searched. Quarantined:
  // wrong_type, bad_json, bad_string, bad_utf8, bad_ip, bad_time, missing_time, missing_name,
  // missing_ip, missing_url, field_too_long, no_source, document_too_large. Empty for kEvent.
  absl::string_view reason;
  // Which field and what it held, printable, at most 200 bytes. Empty: the reason says it all.
  std::string detail;
};

// Takes the documents of a page. Called on the thread of Decode().
class PageSink {
 public:
  virtual ~PageSink() = default;

  // A cleared event to be filled, usually on the arena of the batch being built. Stays the sink's.
  virtual telemetry::v1::Event* NewEvent() = 0;

  // Follows each NewEvent() at once. `event` always has seq_no, document_id and document_hash; the
  // rest only for kEvent, though its body's kind is set whenever it is known (for counts by type).
  virtual void Done(telemetry::v1::Event* event, DecodeOutcome outcome) = 0;
};

// Reused over many pages (its buffers keep their size). One per thread.
class PageDecoder {
 public:
  explicit PageDecoder(DecoderOptions options);
  ~PageDecoder();
  PageDecoder(const PageDecoder&) = delete;
  PageDecoder& operator=(const PageDecoder&) = delete;

  // Calls NewEvent() and Done() once for every hit of the page, in the page's order. On any error
  // the sink must discard what it got of this page, since nothing says that the page is whole:
  // kUnavailable  not the whole answer (timed out, failed or missing shards) or not a search answer
  // at all kAborted      a hit outside the window, or of another index: this is not the shard that
  // was asked A document that cannot be read costs only itself.
  absl::Status Decode(const WindowQuery& query, const http::Response& response, PageSink& sink);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_PAGE_DECODER_H_
