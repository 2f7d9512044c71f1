#include "services/alert_poller/alert_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/alert_poller/log_segment.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::alert_poller {

using alerts::v1::Alert;

absl::StatusOr<std::unique_ptr<AlertLog>> AlertLog::Open(checkpoint::FileSystem& files,
                                                         Clock& clock, AlertLogOptions options) {
  RETURN_IF_ERROR(files.MakeFolder(options.folder));
  std::unique_ptr<AlertLog> log(new AlertLog(files, clock, std::move(options)));
  RETURN_IF_ERROR(log->Load());
  return log;
}

absl::Status AlertLog::Load() {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(options_.folder));
  std::lock_guard<std::mutex> lock(mutex_);
  for (const std::string& name : names) {
    const auto serial = SegmentSerial(name);
    if (!serial.has_value()) continue;
    RETURN_IF_ERROR(LoadSegment(*serial));
    file_serial_ = *serial;
  }
  first_start_ = segments_.empty();
  return absl::OkStatus();
}

absl::Status AlertLog::LoadSegment(uint64_t serial) {
  ASSIGN_OR_RETURN(const std::string file, files_.Read(Path(serial)));
  const auto records = DecodeSegment(file);
  if (!records.ok()) return Damaged(serial, records.status().message());
  if (records->empty()) return absl::OkStatus();  // the first write into it was torn
  Segment segment = {serial, records->front().first(), records->front().first() - 1, file.size()};
  if (!segments_.empty()) {
    // A write that failed may have reached the disk all the same; what came after it counts.
    Segment& before = segments_.back();
    if (segment.first > end_ + 1 || segment.first < before.first) {
      return Damaged(serial, absl::StrCat("it begins with alert ", segment.first,
                                          ", the file before ends with ", end_));
    }
    before.last = segment.first - 1;
  }
  for (const LogRecord& record : *records) {
    if (record.first() != segment.last + 1) {
      return Damaged(serial, absl::StrCat("alert ", record.first(), " follows ", segment.last));
    }
    segment.last += record.alerts_size();
    for (const Alert& alert : record.alerts()) Remember(alert);
    follow_ = record.follow();
  }
  end_ = segment.last;
  segments_.push_back(segment);
  return absl::OkStatus();
}

absl::Status AlertLog::Damaged(uint64_t serial, absl::string_view problem) const {
  return WithExitCode(
      absl::DataLossError(absl::StrCat(
          "the alert log is damaged: ", Path(serial), ": ", problem, ". Restore the folder ",
          options_.folder,
          " from a backup, or move it away: then every alert that the engine keeps is fetched and "
          "delivered again")),
      kExitConfig);
}

bool AlertLog::first_start() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return first_start_;
}

std::string AlertLog::follow() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return follow_;
}

uint64_t AlertLog::end() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return end_;
}

bool AlertLog::HasRecent(const std::string& id) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return recent_set_.count(id) > 0;
}

absl::Status AlertLog::Append(absl::Span<const Alert> alerts, const std::string& follow) {
  LogRecord record;
  record.set_first(end() + 1);
  record.set_follow(follow);
  for (const Alert& alert : alerts) *record.add_alerts() = alert;
  const std::string bytes = EncodeRecord(record);
  RETURN_IF_ERROR(Write(bytes));

  std::lock_guard<std::mutex> lock(mutex_);
  if (segments_.empty() || segments_.back().serial != file_serial_) {
    segments_.push_back({file_serial_, end_ + 1, end_, 0});
  }
  end_ += alerts.size();
  segments_.back().last = end_;
  segments_.back().bytes += bytes.size();
  // The next record begins a new file.
  if (segments_.back().bytes > options_.segment_bytes_max) file_.reset();
  follow_ = follow;
  first_start_ = false;
  for (const Alert& alert : alerts) Remember(alert);
  Trim();
  changed_.notify_all();
  return absl::OkStatus();
}

// What a failed write left behind is never continued: the next one begins a new file.
absl::Status AlertLog::Write(const std::string& bytes) {
  const bool is_new = file_ == nullptr;
  if (is_new) {
    ASSIGN_OR_RETURN(file_, files_.OpenAppend(Path(++file_serial_), /*truncate=*/true));
  }
  absl::Status status = file_->Append(bytes);
  if (status.ok()) status = file_->Sync();
  if (status.ok() && is_new) status = files_.SyncFolder(options_.folder);
  if (!status.ok()) file_.reset();
  return status;
}

void AlertLog::Remember(const Alert& alert) {
  if (!recent_set_.insert(alert.id()).second) return;
  recent_.push_back(alert.id());
  if (recent_.size() <= options_.recent_ids_max) return;
  recent_set_.erase(recent_.front());
  recent_.pop_front();
}

void AlertLog::AddReader(const std::string& reader, uint64_t position) {
  std::lock_guard<std::mutex> lock(mutex_);
  positions_[reader] = position;
}

void AlertLog::SetPosition(const std::string& reader, uint64_t position) {
  std::lock_guard<std::mutex> lock(mutex_);
  positions_[reader] = position;
  Trim();
}

// Oldest first and each on disk before the next, so that a crash leaves no gap.
void AlertLog::Trim() {
  uint64_t passed = end_;
  for (const auto& [reader, position] : positions_) passed = std::min(passed, position);
  size_t bytes = 0;
  for (const Segment& segment : segments_) bytes += segment.bytes;
  while (segments_.size() > 1 && (segments_.front().last <= passed || bytes > options_.bytes_max)) {
    absl::Status status = files_.Remove(Path(segments_.front().serial));
    if (status.ok()) status = files_.SyncFolder(options_.folder);
    if (!status.ok() && !absl::IsNotFound(status)) {
      spdlog::warn("alert log: {}; tried again later", std::string(status.message()));
      return;
    }
    bytes -= segments_.front().bytes;
    segments_.pop_front();
  }
}

absl::StatusOr<std::vector<AlertLog::Entry>> AlertLog::Read(uint64_t position, size_t max) const {
  std::vector<Entry> entries;
  std::lock_guard<std::mutex> lock(mutex_);  // the file must not be trimmed away meanwhile
  const auto segment = std::find_if(segments_.begin(), segments_.end(),
                                    [&](const Segment& s) { return s.last > position; });
  if (segment == segments_.end()) return entries;
  ASSIGN_OR_RETURN(const std::string file, files_.Read(Path(segment->serial)));
  ASSIGN_OR_RETURN(std::vector<LogRecord> records, DecodeSegment(file));
  for (LogRecord& record : records) {
    uint64_t number = record.first();
    for (Alert& alert : *record.mutable_alerts()) {
      if (number > segment->last || entries.size() >= max) return entries;
      if (number > position) entries.push_back({number, std::move(alert)});
      ++number;
    }
  }
  if (entries.empty() || entries.back().number != segment->last) {
    return absl::DataLossError(
        absl::StrCat(Path(segment->serial), " has lost alerts up to ", segment->last));
  }
  return entries;
}

bool AlertLog::WaitBehind(uint64_t position) {
  std::unique_lock<std::mutex> lock(mutex_);
  clock_.WaitFor(lock, changed_, absl::InfiniteDuration(),
                 [&] { return stopped_ || end_ > position; });
  return !stopped_;
}

bool AlertLog::Wait(absl::Duration duration) {
  std::unique_lock<std::mutex> lock(mutex_);
  clock_.WaitFor(lock, changed_, duration, [this] { return stopped_; });
  return !stopped_;
}

void AlertLog::Stop() {
  std::lock_guard<std::mutex> lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

size_t AlertLog::BytesBehind(uint64_t position) const {
  std::lock_guard<std::mutex> lock(mutex_);
  size_t bytes = 0;
  for (const Segment& segment : segments_) {
    if (segment.last <= position) continue;
    const uint64_t alerts = segment.last - segment.first + 1;
    const uint64_t behind = segment.last - std::max(position, segment.first - 1);
    bytes += static_cast<size_t>(static_cast<double>(segment.bytes) * behind / alerts);
  }
  return bytes;
}

std::string AlertLog::Path(uint64_t serial) const {
  return absl::StrCat(options_.folder, "/", SegmentName(serial));
}

}  // namespace nightjar::alert_poller
