// Where reading begins in a shard that the position does not know.
#ifndef SERVICES_ES_READER_FIRST_SIGHT_H_
#define SERVICES_ES_READER_FIRST_SIGHT_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/es_reader/elastic/elastic_client.h"
#include "services/es_reader/elastic/types.h"
#include "services/es_reader/position.h"

namespace nightjar::es_reader {

// An index made after our first start (with 5 minutes for clocks that differ) is read from its
// beginning. In an older one the start policy decides, by number: a refresh, then the lowest number
// with a recent enough time; everything below it is closed from the start. Errors are those of the
// client; ask again.
absl::StatusOr<ShardPosition> FirstSight(ElasticClient& client, const IndexInfo& index,
                                         const ShardStats& stats, absl::Time first_start,
                                         const StartPolicy& start);

// True when a refresh has reached every primary: `result` counts copies, and a dead primary is just
// not counted.
bool ReachedEveryPrimary(const RefreshResult& result, const IndexInfo& index);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_FIRST_SIGHT_H_
