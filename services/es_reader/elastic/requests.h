// Paths and bodies of the requests. Pure functions.
#ifndef SERVICES_ES_READER_ELASTIC_REQUESTS_H_
#define SERVICES_ES_READER_ELASTIC_REQUESTS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/es_reader/elastic/types.h"

namespace nightjar::es_reader {

// "a,b" percent-encoded for a path; wildcards stay.
std::string IndexPath(const std::vector<std::string>& names);

std::string SettingsPath(const std::vector<std::string>& patterns);
std::string StatsPath(const std::vector<std::string>& patterns);
// A search on one shard on one node, never answered in part or from a cache.
std::string SearchPath(absl::string_view index, int shard, absl::string_view node);

std::string WindowBody(const WindowQuery& query);
std::string CountBody(const WindowQuery& query);
std::string FirstSinceBody(absl::Time since);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_ELASTIC_REQUESTS_H_
