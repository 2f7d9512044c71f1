// A small durable state: written whole, atomically, in two generations.
#ifndef SERVICES_COMMON_CHECKPOINT_CHECKPOINT_H_
#define SERVICES_COMMON_CHECKPOINT_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/checkpoint/file_system.h"

namespace nightjar::checkpoint {

// Holds `<folder>/state.json` and the generation before it, `<folder>/state.previous.json`. Each
// file is one header line
//   {"format":1,"generation":7,"bytes":123,"crc32c":"1a2b3c4d"}
// and then the payload; the checksum covers the header up to it and the payload. What counts is the
// generation number, not the file's name. Not thread-safe. The file system outlives it.
class Checkpoint {
 public:
  Checkpoint(FileSystem& files, std::string folder);

  // The newest generation that is whole; nullopt when the folder has no state.json and no
  // state.previous.json (a first start). kDataLoss with exit code 78 when files exist and none is
  // whole: the message names the folder, what is wrong with each file, and the way out.
  // kPermissionDenied, kUnavailable from the file system.
  absl::StatusOr<std::optional<std::string>> Load();

  // Writes a new generation: temporary file, fsync, rename, fsync of the folder. After an error the
  // old one still loads, or the new one whole. Errors as of Load (when it was not called before)
  // and of the file system.
  absl::Status Save(absl::string_view payload);

  // True when Load met a damaged generation beside a whole one, for a warning and a metric.
  bool fell_back() const { return fell_back_; }

 private:
  FileSystem& files_;
  const std::string folder_;
  const std::string current_;  // paths
  const std::string previous_;
  bool loaded_ = false;             // what follows is as the files are
  bool newest_is_current_ = false;  // the newest whole generation is in state.json
  uint64_t generation_ = 0;
  bool fell_back_ = false;
};

// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `data`.
uint32_t Crc32c(absl::string_view data);

}  // namespace nightjar::checkpoint

#endif  // SERVICES_COMMON_CHECKPOINT_CHECKPOINT_H_
