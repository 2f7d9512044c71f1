// Events that the engine refuses, kept on disk for a person to look at.
#ifndef SERVICES_AE_FORWARDER_QUARANTINE_H_
#define SERVICES_AE_FORWARDER_QUARANTINE_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/common/checkpoint/file_system.h"

namespace nightjar::ae_forwarder {

struct QuarantinedEvent {
  absl::Time time;         // when it was refused
  absl::string_view type;  // as in /v1/events/<type>
  absl::string_view epoch;
  absl::string_view index;
  int64_t number = 0;         // seq_no
  absl::string_view problem;  // what the engine said
  absl::string_view event;    // the line as posted, with or without its line end
};

// Appends to `<folder>/quarantine.ndjson`, one JSON object a line, mode 0600. Bounded: what does
// not fit any more is refused. Thread-safe. `files` outlives it.
class Quarantine {
 public:
  // Errors of the file system. A line that was cut short by a crash stays, ended.
  static absl::StatusOr<std::unique_ptr<Quarantine>> Open(checkpoint::FileSystem& files,
                                                          const std::string& folder,
                                                          size_t bytes_max);

  // Keeps the first `*kept` of `events`: all, unless the file is full. They survive a power loss on
  // return. After an error some may be in the file; try again (a line may then stand twice).
  absl::Status Add(absl::Span<const QuarantinedEvent> events, size_t* kept);

  size_t bytes() const { return bytes_; }

 private:
  Quarantine(checkpoint::FileSystem& files, std::string path, size_t bytes_max)
      : files_(files), path_(std::move(path)), bytes_max_(bytes_max) {}

  checkpoint::FileSystem& files_;
  const std::string path_;
  const size_t bytes_max_;
  std::mutex mutex_;  // held while writing
  std::unique_ptr<checkpoint::AppendFile> file_;
  bool torn_ = false;  // the last line may lack its end
  std::atomic<size_t> bytes_{0};
};

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_QUARANTINE_H_
