#include "services/ae_forwarder/quarantine.h"

#include "absl/strings/match.h"
#include "services/common/analytics_api/json_writer.h"
#include "services/common/status/status_macros.h"

namespace nightjar::ae_forwarder {
namespace {

void AppendEntry(const QuarantinedEvent& event, std::string* out) {
  analytics_api::JsonWriter line(out);
  line.BeginObject();
  line.Time("time", absl::ToUnixNanos(event.time));
  line.String("type", event.type);
  line.String("reason", "engine_refused");
  line.String("problem", event.problem);
  line.String("epoch", event.epoch);
  line.String("index", event.index);
  line.Integer("seqNo", event.number);
  line.String("event", event.event);
  line.EndObject();
  out->push_back('\n');
}

}  // namespace

absl::StatusOr<std::unique_ptr<Quarantine>> Quarantine::Open(checkpoint::FileSystem& files,
                                                             const std::string& folder,
                                                             size_t bytes_max) {
  RETURN_IF_ERROR(files.MakeFolder(folder));
  std::unique_ptr<Quarantine> quarantine(
      new Quarantine(files, folder + "/quarantine.ndjson", bytes_max));
  const auto contents = files.Read(quarantine->path_);
  if (!contents.ok() && !absl::IsNotFound(contents.status())) return contents.status();
  if (contents.ok()) {
    quarantine->bytes_ = contents->size();
    quarantine->torn_ = !contents->empty() && !absl::EndsWith(*contents, "\n");
  }
  return quarantine;
}

absl::Status Quarantine::Add(absl::Span<const QuarantinedEvent> events, size_t* kept) {
  std::lock_guard<std::mutex> lock(mutex_);
  *kept = 0;
  std::string lines(torn_ ? "\n" : "");
  for (const QuarantinedEvent& event : events) {
    const size_t before = lines.size();
    AppendEntry(event, &lines);
    if (bytes_ + lines.size() > bytes_max_) {
      lines.resize(before);
      break;
    }
    ++*kept;
  }
  if (*kept == 0) return absl::OkStatus();
  const bool is_new = file_ == nullptr;
  if (is_new) {
    ASSIGN_OR_RETURN(file_, files_.OpenAppend(path_, /*truncate=*/false));
  }
  absl::Status status = file_->Append(lines);
  if (status.ok()) status = file_->Sync();
  if (status.ok() && is_new) {
    status = files_.SyncFolder(path_.substr(0, path_.rfind('/')));
  }
  torn_ = !status.ok();
  if (!status.ok()) {
    file_.reset();
    return status;
  }
  bytes_ += lines.size();
  return absl::OkStatus();
}

}  // namespace nightjar::ae_forwarder
