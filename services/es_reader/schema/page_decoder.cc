#include "services/es_reader/schema/page_decoder.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/common/status/status_macros.h"
#include "services/es_reader/schema/document_hash.h"
#include "services/es_reader/schema/field_table.h"
#include "services/es_reader/schema/kind.h"
#include "services/es_reader/schema/packetbeat.h"
#include "services/es_reader/schema/page_splitter.h"
#include "services/es_reader/schema/redact.h"
#include "services/es_reader/schema/search_rules.h"
#include "services/es_reader/schema/source_fields.h"
#include "services/es_reader/schema/source_walker.h"
#include "services/es_reader/schema/utf8.h"
#include "simdjson.h"

namespace nightjar::es_reader {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;
using simdjson::SUCCESS;

// What the page says about itself.
struct Envelope {
  std::optional<bool> timed_out;
  int64_t shards = -1;
  int64_t successful = -1;
  int64_t failed = -1;
  bool has_hits = false;
};

// What a hit says around its _source.
struct HitHeader {
  absl::string_view id;
  int64_t version = 1;
  std::optional<int64_t> seq_no;
  bool other_index = false;
  bool has_source = false;
  std::vector<absl::string_view> matched_queries;
};

}  // namespace

// One page is decoded in one forward walk. Only if its JSON is broken somewhere, it is taken apart
// by brackets from the first hit that could not be read, and each hit is parsed by itself.
class PageDecoder::Impl {
 public:
  explicit Impl(DecoderOptions options)
      : options_(std::move(options)),
        redactor_(options_.secret_parameters),
        rules_(options_.searches, &table_) {
    fields_.paths.resize(table_.paths());
  }

  absl::Status Decode(const WindowQuery& query, const http::Response& response, PageSink& sink) {
    query_ = &query;
    sink_ = &sink;
    event_ = nullptr;
    hits_ended_ = 0;
    refusal_ = absl::OkStatus();
    if (response.status != 200) return Incomplete(absl::StrCat("HTTP ", response.status));
    const absl::string_view page = response.body();
    if (WalkPage(page, page.size() + simdjson::SIMDJSON_PADDING) != SUCCESS && refusal_.ok()) {
      RETURN_IF_ERROR(DecodePieces(page));
    }
    RETURN_IF_ERROR(refusal_);
    return CheckEnvelope();
  }

 private:
  absl::Status Incomplete(absl::string_view what) const {
    return absl::UnavailableError(
        absl::StrCat(query_->index, " shard ", query_->shard, ": incomplete answer: ", what));
  }

  absl::Status CheckEnvelope() const {
    if (envelope_.timed_out.value_or(true)) return Incomplete("timed out");
    if (envelope_.shards != 1 || envelope_.successful != 1 || envelope_.failed != 0) {
      return Incomplete(absl::StrCat(envelope_.successful, " of ", envelope_.shards, " shards, ",
                                     envelope_.failed, " failed"));
    }
    if (!envelope_.has_hits) return Incomplete("no hits");
    return absl::OkStatus();
  }

  // `capacity`: bytes that may be read from the beginning of `text`.
  error_code WalkPage(absl::string_view text, size_t capacity) {
    envelope_ = Envelope();
    ondemand::document document;
    ondemand::object root;
    if (auto error = parser_.iterate(text.data(), text.size(), capacity).get(document)) {
      return error;
    }
    if (auto error = document.get_object().get(root)) return error;
    for (auto result : root) {
      if (result.error()) return result.error();
      ondemand::field&& field = std::move(result).value_unsafe();
      const absl::string_view key = RawKey(field);
      error_code error = SUCCESS;
      if (key == "timed_out") {
        bool timed_out = false;
        error = field.value().get_bool().get(timed_out);
        envelope_.timed_out = timed_out;
      } else if (key == "_shards") {
        error = WalkShards(field.value());
      } else if (key == "hits") {
        error = WalkHits(field.value());
      }
      if (error) return error;
    }
    return SUCCESS;
  }

  error_code WalkShards(ondemand::value& value) {
    ondemand::object shards;
    if (auto error = value.get_object().get(shards)) return error;
    for (auto result : shards) {
      if (result.error()) return result.error();
      ondemand::field&& field = std::move(result).value_unsafe();
      const absl::string_view key = RawKey(field);
      int64_t* number = key == "total"        ? &envelope_.shards
                        : key == "successful" ? &envelope_.successful
                        : key == "failed"     ? &envelope_.failed
                                              : nullptr;
      if (number == nullptr) continue;
      if (auto error = field.value().get_int64().get(*number)) return error;
    }
    return SUCCESS;
  }

  error_code WalkHits(ondemand::value& value) {
    ondemand::object outer;
    if (auto error = value.get_object().get(outer)) return error;
    for (auto result : outer) {
      if (result.error()) return result.error();
      ondemand::field&& field = std::move(result).value_unsafe();
      if (RawKey(field) != "hits") continue;
      ondemand::array hits;
      if (auto error = field.value().get_array().get(hits)) return error;
      envelope_.has_hits = true;
      for (auto element : hits) {
        ondemand::object hit;
        if (auto error = element.get_object().get(hit)) return error;
        if (auto error = WalkHit(hit)) return error;
        if (!EndHit({})) return simdjson::UNEXPECTED_ERROR;
      }
    }
    return SUCCESS;
  }

  // Fills header_ and fields_ as far as it comes.
  error_code WalkHit(ondemand::object hit) {
    header_ = HitHeader();
    fields_.Clear();
    for (auto result : hit) {
      if (result.error()) return result.error();
      ondemand::field&& field = std::move(result).value_unsafe();
      ondemand::value& value = field.value();
      const absl::string_view key = RawKey(field);
      error_code error = SUCCESS;
      if (key == "_source") {
        error = WalkHitSource(value);
      } else if (key == "_id") {
        error = ScalarText(value, &header_.id);
      } else if (key == "_seq_no") {
        int64_t seq_no = -1;
        error = value.get_int64().get(seq_no);
        header_.seq_no = seq_no;
      } else if (key == "_version") {
        error = value.get_int64().get(header_.version);
      } else if (key == "_index") {
        absl::string_view index;
        error = ScalarText(value, &index);
        header_.other_index = index != query_->index;
      } else if (key == "matched_queries") {
        error = WalkMatched(value);
      }
      if (error) return error;
    }
    return SUCCESS;
  }

  error_code WalkHitSource(ondemand::value& value) {
    ondemand::object source;
    if (auto error = value.get_object().get(source)) return error;
    header_.has_source = true;
    return WalkSource(source, table_, &fields_);
  }

  error_code WalkMatched(ondemand::value& value) {
    ondemand::array names;
    if (auto error = value.get_array().get(names)) return error;
    for (auto result : names) {
      ondemand::value name;
      if (auto error = std::move(result).get(name)) return error;
      if (auto error = ScalarText(name, &header_.matched_queries.emplace_back())) return error;
    }
    return SUCCESS;
  }

  absl::Status DecodePieces(absl::string_view page) {
    PagePieces pieces;
    if (!SplitPage(page, &pieces)) return Incomplete("not a page of hits");
    const size_t bytes = pieces.envelope.size();
    pieces.envelope.resize(bytes + simdjson::SIMDJSON_PADDING);
    const absl::string_view envelope(pieces.envelope.data(), bytes);
    if (auto error = WalkPage(envelope, pieces.envelope.size())) {
      return Incomplete(simdjson::error_message(error));
    }
    const char* end = page.data() + page.size() + simdjson::SIMDJSON_PADDING;
    for (size_t i = hits_ended_; i < pieces.hits.size(); ++i) {
      const absl::string_view hit = pieces.hits[i];
      const error_code error = ParseHit(hit, end - hit.data());
      const bool ended = error ? EndBrokenHit(hit, error) : EndHit({});
      if (!ended) return refusal_;
    }
    return absl::OkStatus();
  }

  error_code ParseHit(absl::string_view hit, size_t capacity) {
    header_ = HitHeader();
    ondemand::document document;
    ondemand::object object;
    if (auto error = parser_.iterate(hit.data(), hit.size(), capacity).get(document)) return error;
    if (auto error = document.get_object().get(object)) return error;
    return WalkHit(object);
  }

  // Finds out from what stands before its _source which document it is that cannot be read.
  bool EndBrokenHit(absl::string_view hit, error_code error) {
    absl::string_view before = hit.substr(0, hit.find("\"_source\""));
    before = absl::StripTrailingAsciiWhitespace(before);
    absl::ConsumeSuffix(&before, ",");
    std::string header = absl::StrCat(ReplaceInvalidUtf8(before), "}");
    const size_t bytes = header.size();
    header.resize(bytes + simdjson::SIMDJSON_PADDING);
    // An error leaves the number unknown, which EndHit() refuses.
    (void)ParseHit(absl::string_view(header.data(), bytes), header.size());
    const bool utf8 = error == simdjson::UTF8_ERROR;
    return EndHit({utf8 ? "bad_utf8" : "bad_json", simdjson::error_message(error)});
  }

  // Hands one document over. False, with refusal_ set, if it is not one that was asked for.
  bool EndHit(Fault fault) {
    if (!header_.seq_no.has_value()) {
      refusal_ = Incomplete("a hit without _seq_no");
      return false;
    }
    if (header_.other_index || *header_.seq_no <= query_->from || *header_.seq_no > query_->to) {
      refusal_ = absl::AbortedError(absl::StrCat(
          query_->index, " shard ", query_->shard, ": asked for numbers (", query_->from, ", ",
          query_->to, "], got ", *header_.seq_no, header_.other_index ? " of another index" : ""));
      return false;
    }
    event_ = sink_->NewEvent();
    DecodeOutcome outcome = Outcome(std::move(fault));
    event_->set_seq_no(*header_.seq_no);
    event_->set_document_id(std::string(header_.id));
    event_->set_document_hash(DocumentHash(header_.id, header_.version));
    sink_->Done(event_, std::move(outcome));
    ++hits_ended_;
    return true;
  }

  // Fills event_ but for its identity.
  DecodeOutcome Outcome(Fault fault) {
    using Kind = DecodeOutcome::Kind;
    if (fault.ok() && !header_.has_source) {
      fault.reason = query_->with_source ? "no_source" : "document_too_large";
    }
    if (!fault.ok()) return {Kind::kQuarantined, fault.reason, std::move(fault.detail)};
    EventKind kind = Classify(fields_);
    if (kind == EventKind::kOther) kind = rules_.ClassifyByFieldNames(fields_);
    const auto* matched = query_->filters.empty() ? nullptr : &header_.matched_queries;
    const absl::string_view refusal = rules_.Refusal(kind, fields_, matched);
    if (!refusal.empty()) {
      SetKind(kind, event_);
      return {Kind::kFiltered, refusal, ""};
    }
    rules_.ApplyFieldNames(kind, &fields_);
    fault = FillEvent(kind, fields_, options_.redact_url ? &redactor_ : nullptr, event_);
    if (!options_.site.empty()) event_->set_site(options_.site);
    if (!fault.ok()) return {Kind::kQuarantined, fault.reason, std::move(fault.detail)};
    return {};
  }

  const DecoderOptions options_;
  const Redactor redactor_;
  FieldTable table_;
  const SearchRules rules_;
  ondemand::parser parser_;

  // Of the page at hand.
  const WindowQuery* query_ = nullptr;
  PageSink* sink_ = nullptr;
  Envelope envelope_;
  absl::Status refusal_;
  size_t hits_ended_ = 0;

  // Of the hit at hand.
  HitHeader header_;
  SourceFields fields_;
  telemetry::v1::Event* event_ = nullptr;
};

PageDecoder::PageDecoder(DecoderOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

PageDecoder::~PageDecoder() = default;

absl::Status PageDecoder::Decode(const WindowQuery& query, const http::Response& response,
                                 PageSink& sink) {
  return impl_->Decode(query, response, sink);
}

}  // namespace nightjar::es_reader
