#include "tests/fakes/fake_search.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"
#include "simdjson.h"

namespace nightjar::fakes {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

absl::Time TimeOf(element value) {
  if (int64_t millis; value.get_int64().get(millis) == simdjson::SUCCESS) {
    return absl::FromUnixMillis(millis);
  }
  absl::Time time = absl::InfinitePast();
  if (std::string_view text; value.get_string().get(text) == simdjson::SUCCESS) {
    absl::ParseTime(absl::RFC3339_full, {text.data(), text.size()}, &time, nullptr);
  }
  return time;
}

void TakeRange(absl::string_view field, object bounds, SearchRequest& request) {
  for (auto [key, value] : bounds) {
    if (field == "@timestamp" && key == "gte") request.since = TimeOf(value);
    int64_t number = 0;
    if (field != "_seq_no" || value.get_int64().get(number) != simdjson::SUCCESS) continue;
    if (key == "gt") request.above = number;
    if (key == "gte") request.above = number - 1;
    if (key == "lte") request.up_to = number;
    if (key == "lt") request.up_to = number - 1;
  }
}

// Walks the whole query for range and terms clauses.
void TakeQuery(element query, SearchRequest& request) {
  if (simdjson::dom::array list; query.get_array().get(list) == simdjson::SUCCESS) {
    for (element item : list) TakeQuery(item, request);
  }
  object map;
  if (query.get_object().get(map) != simdjson::SUCCESS) return;
  for (auto [key, value] : map) {
    object inner;
    if (key == "range" && value.get_object().get(inner) == simdjson::SUCCESS) {
      for (auto [field, bounds] : inner) {
        if (object limits; bounds.get_object().get(limits) == simdjson::SUCCESS) {
          TakeRange({field.data(), field.size()}, limits, request);
        }
      }
    } else if (key == "terms" && value.get_object().get(inner) == simdjson::SUCCESS) {
      simdjson::dom::array wanted;
      if (inner["_seq_no"].get_array().get(wanted) != simdjson::SUCCESS) continue;
      request.numbers.emplace();
      for (element number : wanted) request.numbers->insert(int64_t(number));
    } else {
      TakeQuery(value, request);
    }
  }
}

bool IsSince(const StoredDocument& document, absl::Time since) {
  simdjson::dom::parser parser;
  element root, time;
  if (parser.parse(document.source).get(root) != simdjson::SUCCESS) return true;
  if (root["@timestamp"].get(time) != simdjson::SUCCESS) return true;
  return TimeOf(time) >= since;
}

}  // namespace

std::optional<SearchRequest> ParseSearch(const std::string& body) {
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(body).get(root) != simdjson::SUCCESS) return std::nullopt;
  SearchRequest request;
  if (uint64_t size; root["size"].get_uint64().get(size) == simdjson::SUCCESS) request.size = size;
  if (bool on; root["track_total_hits"].get_bool().get(on) == simdjson::SUCCESS) request.count = on;
  if (bool on; root["_source"].get_bool().get(on) == simdjson::SUCCESS) request.with_source = on;
  if (element query; root["query"].get(query) == simdjson::SUCCESS) TakeQuery(query, request);
  return request;
}

std::vector<StoredDocument> Find(const std::vector<StoredDocument>& documents, int64_t visible,
                                 const SearchRequest& request) {
  std::vector<StoredDocument> found;
  auto at = std::upper_bound(
      documents.begin(), documents.end(), request.above,
      [](int64_t above, const StoredDocument& document) { return above < document.seq_no; });
  for (; at != documents.end() && found.size() < request.size; ++at) {
    if (at->seq_no > std::min(visible, request.up_to)) break;
    if (request.numbers.has_value() && !request.numbers->contains(at->seq_no)) continue;
    if (request.since.has_value() && !IsSince(*at, *request.since)) continue;
    found.push_back(*at);
  }
  return found;
}

std::string SearchReply(const std::vector<StoredDocument>& hits, absl::string_view index,
                        int shards_total, int shards_successful, int shards_failed, bool timed_out,
                        bool with_source, std::optional<size_t> total) {
  std::string reply =
      absl::StrCat(R"({"took":1,"timed_out":)", timed_out ? "true" : "false",
                   R"(,"_shards":{"total":)", shards_total, R"(,"successful":)", shards_successful,
                   R"(,"skipped":0,"failed":)", shards_failed, R"(},"hits":{)");
  if (total.has_value()) {
    absl::StrAppend(&reply, R"("total":{"value":)", *total, R"(,"relation":"eq"},)");
  }
  absl::StrAppend(&reply, R"("max_score":null,"hits":[)");
  bool first = true;
  for (const StoredDocument& hit : hits) {
    absl::StrAppend(&reply, first ? "" : ",", R"({"_index":")", index,
                    R"(","_type":"_doc","_id":")", hit.id, R"(","_version":)", hit.version,
                    R"(,"_seq_no":)", hit.seq_no, R"(,"_primary_term":1,"_score":null)",
                    with_source ? R"(,"_source":)" : "", with_source ? hit.source : "",
                    R"(,"sort":[)", hit.seq_no, "]}");
    first = false;
  }
  return absl::StrCat(reply, "]}}");
}

StoredDocument EraseDocument(std::vector<StoredDocument>& documents, int64_t seq_no) {
  auto at = std::lower_bound(
      documents.begin(), documents.end(), seq_no,
      [](const StoredDocument& document, int64_t number) { return document.seq_no < number; });
  CHECK(at != documents.end() && at->seq_no == seq_no);
  StoredDocument document = std::move(*at);
  documents.erase(at);
  return document;
}

}  // namespace nightjar::fakes
