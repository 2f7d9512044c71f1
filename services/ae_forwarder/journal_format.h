// The bytes of the ended journal: a header line, then frames.
//
//   file  = "nightjar ended journal 1\n" frame*
//   frame = "NJEF" length(u32) crc32c(u32) payload        numbers little-endian; crc over payload
//   payload = change*, each: flags, epoch, token, intervals as varint differences, hashes
//
// A frame is written at once and synced before the next one, so power loss can only cut the last.
#ifndef SERVICES_AE_FORWARDER_JOURNAL_FORMAT_H_
#define SERVICES_AE_FORWARDER_JOURNAL_FORMAT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/ae_forwarder/ended_set.h"

namespace nightjar::ae_forwarder {

inline constexpr absl::string_view kJournalHeader = "nightjar ended journal 1\n";

// Appends one frame. No changes: nothing.
void AppendFrame(absl::Span<const EndedChange> changes, std::string* out);

struct JournalContents {
  std::vector<EndedChange> changes;
  size_t whole_bytes = 0;  // up to here the file is whole; the rest is a torn last frame
};

// Reads a whole file. kDataLoss, saying at which byte, when it has no header, or when something
// that is not a frame is followed by one: then more than the last write was lost.
absl::StatusOr<JournalContents> ReadJournal(absl::string_view file);

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_JOURNAL_FORMAT_H_
