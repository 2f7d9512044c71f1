#include "services/ae_forwarder/ended_journal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/ae_forwarder/journal_format.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::ae_forwarder {
namespace {

// A journal is rewritten when it is larger than this and four times what it was when last written.
constexpr size_t kRewriteBytesMin = 4 << 20;

}  // namespace

EndedJournal::EndedJournal(checkpoint::FileSystem& files, std::string folder, EndedSet& set)
    : files_(files),
      folder_(std::move(folder)),
      set_(set),
      open_round_(std::make_shared<Round>()) {}

absl::StatusOr<std::unique_ptr<EndedJournal>> EndedJournal::Open(checkpoint::FileSystem& files,
                                                                 const std::string& folder,
                                                                 EndedSet& set) {
  RETURN_IF_ERROR(files.MakeFolder(folder));
  std::unique_ptr<EndedJournal> journal(new EndedJournal(files, folder, set));
  const auto file = files.Read(journal->Path());
  if (!file.ok() && !absl::IsNotFound(file.status())) return file.status();
  if (file.ok()) {
    const auto contents = ReadJournal(*file);
    if (!contents.ok()) {
      return ConfigError(absl::StrCat(
          journal->Path(), ": ", contents.status().message(),
          ". To start without it, move the file away: events that were sent but are not yet in the "
          "reader's position may then reach the engine a second time, none is lost"));
    }
    for (const EndedChange& change : contents->changes) set.Apply(change);
  }
  // Also cuts off a torn tail and leaves one frame to read next time.
  RETURN_IF_ERROR(journal->Rewrite());
  return journal;
}

absl::Status EndedJournal::Commit(std::vector<EndedChange> changes) {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::shared_ptr<Round> round = open_round_;
  std::move(changes.begin(), changes.end(), std::back_inserter(round->changes));
  written_.wait(lock, [&] { return round->done || !writing_; });
  if (round->done) return round->status;
  // Nobody writes: this caller does it for all of its round. Later callers gather in the next.
  writing_ = true;
  open_round_ = std::make_shared<Round>();
  lock.unlock();
  round->status = Write(round->changes);
  lock.lock();
  round->done = true;
  writing_ = false;
  written_.notify_all();
  return round->status;
}

void EndedJournal::Forget(EndedChange change) {
  // Removals without effect are not worth a line, and without this they could pile up unwritten.
  if (!set_.Apply(change)) return;
  std::lock_guard<std::mutex> lock(mutex_);
  open_round_->changes.push_back(std::move(change));
}

absl::Status EndedJournal::Write(const std::vector<EndedChange>& changes) {
  if (file_ == nullptr || bytes_ > bytes_max_) RETURN_IF_ERROR(Rewrite());
  std::string frame;
  AppendFrame(changes, &frame);
  absl::Status status = file_->Append(frame);
  if (status.ok()) status = file_->Sync();
  if (!status.ok()) {
    // What is in the file behind the last sync is unknown: never append after it.
    file_.reset();
    return status;
  }
  bytes_ += frame.size();
  for (const EndedChange& change : changes) set_.Apply(change);
  return absl::OkStatus();
}

absl::Status EndedJournal::Rewrite() {
  file_.reset();
  std::string contents(kJournalHeader);
  for (const EndedChange& change : set_.Snapshot()) AppendFrame({&change, 1}, &contents);
  const std::string fresh = Path() + ".new";
  ASSIGN_OR_RETURN(auto file, files_.OpenAppend(fresh, /*truncate=*/true));
  RETURN_IF_ERROR(file->Append(contents));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(files_.Rename(fresh, Path()));
  RETURN_IF_ERROR(files_.SyncFolder(folder_));
  file_ = std::move(file);
  bytes_ = contents.size();
  bytes_max_ = std::max(kRewriteBytesMin, 4 * bytes_);
  return absl::OkStatus();
}

}  // namespace nightjar::ae_forwarder
