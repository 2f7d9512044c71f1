// Takes a page of hits apart by its brackets alone, so that a hit that no JSON parser takes spoils
// only itself.
#ifndef SERVICES_ES_READER_SCHEMA_PAGE_SPLITTER_H_
#define SERVICES_ES_READER_SCHEMA_PAGE_SPLITTER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace nightjar::es_reader {

struct PagePieces {
  // The page with its hits taken out.
  std::string envelope;
  // Each hit, as views into the page.
  std::vector<absl::string_view> hits;
};

// False if there is no whole hits.hits array. Strings may hold any bytes, and comments are passed
// over, which Elasticsearch allows in documents.
bool SplitPage(absl::string_view page, PagePieces* pieces);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_PAGE_SPLITTER_H_
