// What a first start reads: `reader.start`, and the bookmarks of an NFR that ran here before.
#ifndef SERVICES_ES_READER_START_POLICY_H_
#define SERVICES_ES_READER_START_POLICY_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/common/checkpoint/file_system.h"

namespace nightjar::es_reader {

// Resolved once, at the first start, and kept with the position. Applies to indices that are older
// than that start; newer ones are read from their beginning.
struct StartPolicy {
  enum class Kind { kEarliest, kLatest, kSince };
  Kind kind = Kind::kEarliest;
  absl::Time since;  // kSince: older documents end as filtered(before_start)
};

// `setting` is earliest, latest, a duration back from `now` or an RFC 3339 time. kInvalidArgument
// (exit code 78) otherwise.
absl::StatusOr<StartPolicy> ResolveStart(const std::string& setting, absl::Time now);

// NFR keeps the newest ingest time it has read per search in `<data.dir>/elastic-<hash>`. The
// earliest of them less 5 minutes, since NFR may have skipped what came late; nullopt when there
// are none. Files that cannot be read as a time are warned about and left out.
std::optional<absl::Time> NfrBookmark(checkpoint::FileSystem& files, const std::string& data_dir);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_START_POLICY_H_
