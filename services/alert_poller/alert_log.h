// The alerts that the engine has handed out and that some sink has not delivered yet, on disk,
// together with the bookmark of the next poll.
#ifndef SERVICES_ALERT_POLLER_ALERT_LOG_H_
#define SERVICES_ALERT_POLLER_ALERT_LOG_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "proto/alerts/v1/alert.pb.h"
#include "services/common/checkpoint/file_system.h"
#include "services/common/clock/clock.h"

namespace nightjar::alert_poller {

struct AlertLogOptions {
  std::string folder;                  // of the segment files
  size_t segment_bytes_max = 1 << 20;  // a new file begins beyond this
  size_t bytes_max = 64 << 20;         // beyond it the oldest files go, delivered or not
  size_t recent_ids_max = 20'000;      // remembered to tell a repeated alert
};

// Alerts are numbered from 1 in the order they came. A reader's position is the number of the last
// alert it has delivered. The last file always stays, so that the bookmark does. Thread-safe: one
// appends, each reader reads and moves its own position. `files` and `clock` outlive it.
class AlertLog {
 public:
  // Exit code 78 with the way out when the folder is damaged; the file system's errors. A folder
  // without segments is a first start.
  static absl::StatusOr<std::unique_ptr<AlertLog>> Open(checkpoint::FileSystem& files, Clock& clock,
                                                        AlertLogOptions options);

  // True until the first Append that worked.
  bool first_start() const;
  std::string follow() const;
  uint64_t end() const;  // number of the last alert; 0: none yet
  // Whether an alert with this id is among the latest.
  bool HasRecent(const std::string& id) const;

  // Returns once the alerts and the bookmark behind them survive a power loss. After an error
  // nothing of it is in the log; try again.
  absl::Status Append(absl::Span<const alerts::v1::Alert> alerts, const std::string& follow);

  // Names a reader and where it is. Name all of them before the first Append or SetPosition: what
  // every named one has passed is removed then.
  void AddReader(const std::string& reader, uint64_t position);
  void SetPosition(const std::string& reader, uint64_t position);

  struct Entry {
    uint64_t number = 0;
    alerts::v1::Alert alert;
  };
  // The next alerts behind `position`, at most `max` of one file. When older ones are gone, the
  // first number is higher than position + 1. Empty: there is none yet. kDataLoss when the file was
  // changed by someone else; the file system's errors.
  absl::StatusOr<std::vector<Entry>> Read(uint64_t position, size_t max) const;

  // Waits for an alert behind `position`, or Stop. False: stopped.
  bool WaitBehind(uint64_t position);
  // Waits, less when stopped. False: stopped.
  bool Wait(absl::Duration duration);
  // Ends every wait, now and later.
  void Stop();

  // Bytes behind `position`, by the mean size of an alert in the file that it is in.
  size_t BytesBehind(uint64_t position) const;

 private:
  // A file with at least one whole record.
  struct Segment {
    uint64_t serial = 0;  // its name
    uint64_t first = 0;   // number of its first alert
    uint64_t last = 0;    // of its last one; first - 1: it holds bookmarks only
    size_t bytes = 0;
  };

  AlertLog(checkpoint::FileSystem& files, Clock& clock, AlertLogOptions options)
      : files_(files), clock_(clock), options_(std::move(options)) {}
  absl::Status Load();
  absl::Status LoadSegment(uint64_t serial);
  absl::Status Damaged(uint64_t serial, absl::string_view problem) const;
  absl::Status Write(const std::string& bytes);
  // These need the mutex.
  void Remember(const alerts::v1::Alert& alert);
  void Trim();
  std::string Path(uint64_t serial) const;

  checkpoint::FileSystem& files_;
  Clock& clock_;
  const AlertLogOptions options_;
  // Of the thread that appends.
  std::unique_ptr<checkpoint::AppendFile> file_;  // of file_serial_; null: begin a new one
  uint64_t file_serial_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Segment> segments_;
  std::string follow_;
  uint64_t end_ = 0;
  bool first_start_ = true;
  bool stopped_ = false;
  std::map<std::string, uint64_t> positions_;
  std::deque<std::string> recent_;  // ids, oldest first
  std::set<std::string> recent_set_;
};

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_ALERT_LOG_H_
