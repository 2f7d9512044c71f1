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
// and then the payload. Not thread-safe. The file system outlives it.
class Checkpoint {
 public:
  Checkpoint(FileSystem& files, std::string folder);

  // The newest generation that is whole; nullopt when the folder has no state.json and no
  // state.previous.json (a first start). A damaged newest generation falls back one. kDataLoss when
  // files exist and none is whole: the message names the folder and the way out. kPermissionDenied,
  // kUnavailable from the file system.
  absl::StatusOr<std::optional<std::string>> Load();

  // Writes a new generation: temporary file, fsync, rename, fsync of the folder. After an error the
  // old one still loads.
  absl::Status Save(absl::string_view payload);

  // True when Load had to fall back, for a warning and a metric.
  bool fell_back() const { return fell_back_; }

 private:
  FileSystem& files_;
  std::string folder_;
  uint64_t generation_ = 0;
  bool fell_back_ = false;
};

// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `data`.
uint32_t Crc32c(absl::string_view data);

}  // namespace nightjar::checkpoint

#endif  // SERVICES_COMMON_CHECKPOINT_CHECKPOINT_H_
