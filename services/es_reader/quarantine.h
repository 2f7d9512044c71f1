// References to documents that could not become events, kept so that a person can look at them.
#ifndef SERVICES_ES_READER_QUARANTINE_H_
#define SERVICES_ES_READER_QUARANTINE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/common/checkpoint/file_system.h"

namespace nightjar::es_reader {

struct QuarantinedDocument {
  std::string index;
  std::string epoch;
  int64_t seq_no = 0;
  std::string id;      // empty: not known (a batch refused downstream)
  std::string reason;  // snake_case
  std::string detail;
};

// Appends to `<folder>/quarantine.ndjson`, one JSON object a line. Thread-safe. `files` outlives
// it.
class Quarantine {
 public:
  static constexpr uint64_t kBytesMax = 64
                                        << 20;  // of the file; beyond it documents are only counted

  // Opens the file, or makes it. Exit code 78 when it cannot be written.
  static absl::StatusOr<std::unique_ptr<Quarantine>> Open(checkpoint::FileSystem& files,
                                                          const std::string& folder,
                                                          uint64_t bytes_max = kBytesMax);

  // Returns once the documents are durable, or are left out because the file is full. An error:
  // they are not, and the position must not cover them.
  absl::Status Add(const std::vector<QuarantinedDocument>& documents);

  // The limit was reached: further documents are only counted.
  bool full() const;
  const std::string& path() const { return path_; }

 private:
  Quarantine(std::string path, uint64_t bytes_max, uint64_t bytes,
             std::unique_ptr<checkpoint::AppendFile> file);

  const std::string path_;
  const uint64_t bytes_max_;
  mutable std::mutex mutex_;
  uint64_t bytes_;
  bool full_ = false;
  bool torn_ = false;  // a failed write may have left half a line
  std::unique_ptr<checkpoint::AppendFile> file_;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_QUARANTINE_H_
