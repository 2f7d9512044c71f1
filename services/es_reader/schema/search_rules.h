// NFR's settings of searches, applied to decoded documents: types, field_names, must_have_fields,
// search_term.
#ifndef SERVICES_ES_READER_SCHEMA_SEARCH_RULES_H_
#define SERVICES_ES_READER_SCHEMA_SEARCH_RULES_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "services/common/config/config.h"
#include "services/es_reader/schema/field_table.h"
#include "services/es_reader/schema/kind.h"
#include "services/es_reader/schema/source_fields.h"

namespace nightjar::es_reader {

// All searches of a type are one set of rules, whatever their indices: a document passes if any of
// them wants it, so never too few pass. Immutable once built.
class SearchRules {
 public:
  // Adds the users' paths to `table`. No searches: everything passes as it is.
  SearchRules(const std::vector<config::SearchConfig>& searches, FieldTable* table);

  // Puts the values at field_names of this kind in the place of the schema's. Where two searches
  // name a path for one field, the later one with a value wins.
  void ApplyFieldNames(EventKind kind, SourceFields* fields) const;

  // What a document that nothing else identifies is, by the field_names that have a value in it.
  EventKind ClassifyByFieldNames(const SourceFields& fields) const;

  // Why no search wants this document: not_searched, search_term, must_have_field; empty: one does.
  // `matched` has the names from matched_queries, null if the query had no filters.
  absl::string_view Refusal(EventKind kind, const SourceFields& fields,
                            const std::vector<absl::string_view>* matched) const;

 private:
  struct Override {
    int path;
    Field field;
  };
  struct Rule {
    EventKind kind;
    std::string name;  // as in FiltersFromConfig
    std::vector<int> must_have;
    std::vector<Override> overrides;
  };
  std::vector<Rule> rules_;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_SEARCH_RULES_H_
