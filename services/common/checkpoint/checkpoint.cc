#include "services/common/checkpoint/checkpoint.h"

#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::checkpoint {
namespace {

constexpr absl::string_view kHeaderStart = R"({"format":1,"generation":)";

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kCrcTable = MakeCrcTable();

struct Generation {
  uint64_t number = 0;
  std::string payload;
};

std::string Encode(uint64_t generation, absl::string_view payload) {
  std::string file = absl::StrCat(kHeaderStart, generation, ",\"bytes\":", payload.size());
  const uint32_t crc = Crc32c(absl::StrCat(file, "\n", payload));
  absl::StrAppendFormat(&file, ",\"crc32c\":\"%08x\"}\n", crc);
  absl::StrAppend(&file, payload);
  return file;
}

// A whole file is exactly what Encode would write for its number and payload.
absl::StatusOr<Generation> Decode(absl::string_view file) {
  if (file.empty()) return absl::DataLossError("the file is empty");
  absl::string_view rest = file;
  const size_t line_end = file.find('\n');
  if (!absl::ConsumePrefix(&rest, kHeaderStart) || line_end == absl::string_view::npos) {
    return absl::DataLossError("it does not begin with a header line of format 1");
  }
  Generation generation;
  if (!absl::SimpleAtoi(rest.substr(0, rest.find(',')), &generation.number)) {
    return absl::DataLossError("the header has no generation number");
  }
  generation.payload = std::string(file.substr(line_end + 1));
  if (file != Encode(generation.number, generation.payload)) {
    return absl::DataLossError(absl::StrCat("length or checksum is wrong (", file.size(),
                                            " bytes, generation ", generation.number, ")"));
  }
  return generation;
}

}  // namespace

Checkpoint::Checkpoint(FileSystem& files, std::string folder)
    : files_(files),
      folder_(std::move(folder)),
      current_(folder_ + "/state.json"),
      previous_(folder_ + "/state.previous.json") {}

absl::StatusOr<std::optional<std::string>> Checkpoint::Load() {
  std::optional<Generation> newest;
  std::string damage;
  newest_is_current_ = false;
  for (const std::string* path : {&current_, &previous_}) {
    const absl::StatusOr<std::string> file = files_.Read(*path);
    if (absl::IsNotFound(file.status())) continue;
    RETURN_IF_ERROR(file.status());
    absl::StatusOr<Generation> generation = Decode(*file);
    if (!generation.ok()) {
      absl::StrAppend(&damage, "; ", *path, ": ", generation.status().message());
    } else if (!newest.has_value() || generation->number > newest->number) {
      newest = *std::move(generation);
      newest_is_current_ = path == &current_;
    }
  }
  fell_back_ = !damage.empty();
  if (!newest.has_value() && fell_back_) {
    return WithExitCode(
        absl::DataLossError(absl::StrCat(
            "the state in ", folder_, " is damaged", damage,
            ". Restore the folder from a backup, or move it away to begin as on a first start")),
        kExitConfig);
  }
  loaded_ = true;
  generation_ = newest.has_value() ? newest->number : 0;
  if (!newest.has_value()) return std::nullopt;
  return std::move(newest->payload);
}

absl::Status Checkpoint::Save(absl::string_view payload) {
  if (!loaded_) RETURN_IF_ERROR(Load().status());
  loaded_ = false;  // until the end: after an error the files are looked at again
  const std::string temporary = current_ + ".tmp";
  RETURN_IF_ERROR(files_.MakeFolder(folder_));
  {
    ASSIGN_OR_RETURN(const auto file, files_.OpenAppend(temporary, /*truncate=*/true));
    RETURN_IF_ERROR(file->Append(Encode(generation_ + 1, payload)));
    RETURN_IF_ERROR(file->Sync());
  }
  // Only the newest generation may replace the one before it: when state.json is damaged or older,
  // state.previous.json is all there is.
  if (newest_is_current_) RETURN_IF_ERROR(files_.Rename(current_, previous_));
  RETURN_IF_ERROR(files_.Rename(temporary, current_));
  RETURN_IF_ERROR(files_.SyncFolder(folder_));
  ++generation_;
  newest_is_current_ = true;
  loaded_ = true;
  return absl::OkStatus();
}

uint32_t Crc32c(absl::string_view data) {
  uint32_t crc = 0xffffffffu;
  for (char c : data) crc = kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

}  // namespace nightjar::checkpoint
