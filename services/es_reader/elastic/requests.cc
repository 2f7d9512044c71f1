#include "services/es_reader/elastic/requests.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace nightjar::es_reader {
namespace {

std::string PercentEncode(absl::string_view text) {
  std::string out;
  for (char c : text) {
    if (absl::ascii_isalnum(c) || absl::StrContains("-_.*", absl::string_view(&c, 1))) {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// The numbers asked for.
std::string NumbersClause(const WindowQuery& query) {
  if (!query.seq_nos.empty()) {
    return absl::StrCat(R"({"terms":{"_seq_no":[)", absl::StrJoin(query.seq_nos, ","), "]}}");
  }
  return absl::StrCat(R"({"range":{"_seq_no":{"gt":)", query.from, R"(,"lte":)", query.to, "}}}");
}

std::string Query(const WindowQuery& query) {
  if (query.filters.empty()) return NumbersClause(query);
  const auto append_named = [](std::string* out, const SearchFilter& filter) {
    const absl::string_view clause =
        filter.clause.empty() ? R"({"match_all":{}})" : absl::string_view(filter.clause);
    absl::StrAppend(out, R"({"bool":{"filter":[)", clause, R"(],"_name":")", filter.name, R"("}})");
  };
  return absl::StrCat(R"({"bool":{"filter":[)", NumbersClause(query), R"(],"should":[)",
                      absl::StrJoin(query.filters, ",", append_named),
                      R"(],"minimum_should_match":1}})");
}

}  // namespace

std::string IndexPath(const std::vector<std::string>& names) {
  return absl::StrJoin(names, ",", [](std::string* out, const std::string& name) {
    absl::StrAppend(out, PercentEncode(name));
  });
}

std::string SettingsPath(const std::vector<std::string>& patterns) {
  static constexpr absl::string_view kSettings[] = {
      "uuid",   "number_of_shards", "refresh_interval",     "creation_date",
      "hidden", "resize.source",    "verified_before_close"};
  const auto append = [](std::string* out, absl::string_view name) {
    absl::StrAppend(out, "*.settings.index.", name);
  };
  return absl::StrCat("/", IndexPath(patterns),
                      "/_settings?ignore_unavailable=true&allow_no_indices=true"
                      "&expand_wildcards=open,closed&filter_path=",
                      absl::StrJoin(kSettings, ",", append));
}

std::string StatsPath(const std::vector<std::string>& patterns) {
  static constexpr absl::string_view kShardFields[] = {"routing",
                                                       "seq_no",
                                                       "commit.user_data.history_uuid",
                                                       "refresh.external_total",
                                                       "docs.count",
                                                       "store.size_in_bytes"};
  const auto append = [](std::string* out, absl::string_view name) {
    absl::StrAppend(out, "indices.*.shards.*.", name);
  };
  // A closed index that is named outright fails the whole request unless told not to.
  return absl::StrCat("/", IndexPath(patterns),
                      "/_stats/refresh,docs,store?level=shards&ignore_unavailable=true"
                      "&expand_wildcards=open&forbid_closed_indices=false"
                      "&filter_path=indices.*.uuid,",
                      absl::StrJoin(kShardFields, ",", append));
}

std::string SearchPath(absl::string_view index, int shard, absl::string_view node) {
  return absl::StrCat("/", PercentEncode(index), "/_search?preference=_shards:", shard,
                      "%7C_only_nodes:", PercentEncode(node),
                      "&allow_partial_search_results=false&request_cache=false");
}

std::string WindowBody(const WindowQuery& query) {
  return absl::StrCat(R"({"size":)", query.size,
                      R"(,"track_total_hits":false,"sort":["_doc"],"seq_no_primary_term":true,)",
                      R"("version":true,)", query.with_source ? "" : R"("_source":false,)",
                      R"("query":)", Query(query), "}");
}

std::string CountBody(const WindowQuery& query) {
  return absl::StrCat(R"({"size":0,"track_total_hits":true,"query":)", NumbersClause(query), "}");
}

std::string FirstSinceBody(absl::Time since) {
  return absl::StrCat(
      R"({"size":1,"track_total_hits":false,"sort":[{"_seq_no":"asc"}],"_source":false,)",
      R"("seq_no_primary_term":true,"query":{"bool":{"should":[{"range":{"@timestamp":{"gte":)",
      absl::ToUnixMillis(since), R"(,"format":"epoch_millis"}}},)",
      R"({"bool":{"must_not":{"exists":{"field":"@timestamp"}}}}],"minimum_should_match":1}}})");
}

}  // namespace nightjar::es_reader
