#include "services/es_reader/quarantine.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "services/es_reader/json_text.h"

namespace nightjar::es_reader {
namespace {

std::string Line(const QuarantinedDocument& document) {
  std::string line = "{\"index\":";
  AppendJsonString(document.index, &line);
  absl::StrAppend(&line, ",\"epoch\":");
  AppendJsonString(document.epoch, &line);
  absl::StrAppend(&line, ",\"seq_no\":", document.seq_no, ",\"id\":");
  AppendJsonString(document.id, &line);
  absl::StrAppend(&line, ",\"reason\":");
  AppendJsonString(document.reason, &line);
  absl::StrAppend(&line, ",\"detail\":");
  AppendJsonString(document.detail, &line);
  absl::StrAppend(&line, "}\n");
  return line;
}

}  // namespace

Quarantine::Quarantine(std::string path, uint64_t bytes_max, uint64_t bytes,
                       std::unique_ptr<checkpoint::AppendFile> file)
    : path_(std::move(path)), bytes_max_(bytes_max), bytes_(bytes), file_(std::move(file)) {}

absl::StatusOr<std::unique_ptr<Quarantine>> Quarantine::Open(checkpoint::FileSystem& files,
                                                             const std::string& folder,
                                                             uint64_t bytes_max) {
  const std::string path = absl::StrCat(folder, "/quarantine.ndjson");
  const absl::StatusOr<std::string> before = files.Read(path);
  if (!before.ok() && before.status().code() != absl::StatusCode::kNotFound) {
    return ConfigError(before.status().message());
  }
  auto file = files.OpenAppend(path, /*truncate=*/false);
  if (!file.ok()) return ConfigError(file.status().message());
  uint64_t bytes = before.ok() ? before->size() : 0;
  // A crash may have left half a line; the next one must not be glued to it.
  if (before.ok() && !before->empty() && !absl::EndsWith(*before, "\n")) {
    const absl::Status status = (*file)->Append("\n");
    if (!status.ok()) return ConfigError(status.message());
    ++bytes;
  }
  const absl::Status synced = files.SyncFolder(folder);
  if (!synced.ok()) return ConfigError(synced.message());
  return std::unique_ptr<Quarantine>(new Quarantine(path, bytes_max, bytes, *std::move(file)));
}

absl::Status Quarantine::Add(const std::vector<QuarantinedDocument>& documents) {
  if (documents.empty()) return absl::OkStatus();
  std::lock_guard<std::mutex> lock(mutex_);
  std::string lines = torn_ ? "\n" : "";
  for (const QuarantinedDocument& document : documents) {
    const std::string line = Line(document);
    if (bytes_ + lines.size() + line.size() > bytes_max_) {
      full_ = true;
      break;
    }
    lines += line;
  }
  if (lines.size() <= 1) return absl::OkStatus();
  torn_ = true;
  RETURN_IF_ERROR(file_->Append(lines));
  RETURN_IF_ERROR(file_->Sync());
  torn_ = false;
  bytes_ += lines.size();
  return absl::OkStatus();
}

bool Quarantine::full() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return full_;
}

}  // namespace nightjar::es_reader
