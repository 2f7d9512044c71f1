// The search half of the fake Elasticsearch: which documents a request finds, and what the reply
// looks like.
#ifndef TESTS_FAKES_FAKE_SEARCH_H_
#define TESTS_FAKES_FAKE_SEARCH_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace nightjar::fakes {

struct StoredDocument {
  int64_t seq_no = 0;
  uint64_t version = 1;
  std::string id;
  std::string source;
};

// The parts of a search body that the reader uses, wherever in the query they stand.
struct SearchRequest {
  size_t size = 10;
  int64_t above = std::numeric_limits<int64_t>::min();  // range _seq_no gt (gte is turned into gt)
  int64_t up_to = std::numeric_limits<int64_t>::max();  // range _seq_no lte (lt is turned into lte)
  std::optional<absl::flat_hash_set<int64_t>> numbers;  // terms _seq_no
  std::optional<absl::Time> since;  // range @timestamp gte; documents without a time match too
  bool count = false;               // track_total_hits true
  bool with_source = true;          // _source not false
};

// Empty when the body is not JSON.
std::optional<SearchRequest> ParseSearch(const std::string& body);

// Matching documents with a number of at most `visible`, lowest numbers first, at most
// request.size.
std::vector<StoredDocument> Find(const std::vector<StoredDocument>& documents, int64_t visible,
                                 const SearchRequest& request);

std::string SearchReply(const std::vector<StoredDocument>& hits, absl::string_view index,
                        int shards_total, int shards_successful, int shards_failed, bool timed_out,
                        bool with_source = true, std::optional<size_t> total = std::nullopt);

// Takes the document with this number out and returns it.
StoredDocument EraseDocument(std::vector<StoredDocument>& documents, int64_t seq_no);

}  // namespace nightjar::fakes

#endif  // TESTS_FAKES_FAKE_SEARCH_H_
