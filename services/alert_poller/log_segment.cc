#include "services/alert_poller/log_segment.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/common/checkpoint/checkpoint.h"

namespace nightjar::alert_poller {
namespace {

constexpr absl::string_view kMagic = "NJAL";
constexpr size_t kHeaderBytes = 12;  // magic, length, checksum
constexpr absl::string_view kNameEnd = ".log";
constexpr size_t kNameDigits = 16;

void AppendLittleEndian(uint32_t value, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(value >> shift));
}

uint32_t LittleEndian(absl::string_view bytes) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// The record at the beginning of `bytes` and its size there; nullopt when there is no whole one.
std::optional<std::pair<LogRecord, size_t>> DecodeRecord(absl::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !absl::StartsWith(bytes, kMagic)) return std::nullopt;
  const size_t length = LittleEndian(bytes.substr(4));
  // Never empty: NULs of a torn end would pass for a length and the checksum of nothing.
  if (length == 0 || length > bytes.size() - kHeaderBytes) return std::nullopt;
  const absl::string_view payload = bytes.substr(kHeaderBytes, length);
  if (checkpoint::Crc32c(payload) != LittleEndian(bytes.substr(8))) return std::nullopt;
  LogRecord record;
  if (!record.ParseFromArray(payload.data(), static_cast<int>(length))) return std::nullopt;
  return std::make_pair(std::move(record), kHeaderBytes + length);
}

}  // namespace

std::string EncodeRecord(const LogRecord& record) {
  const std::string payload = record.SerializeAsString();
  std::string out(kMagic);
  AppendLittleEndian(static_cast<uint32_t>(payload.size()), &out);
  AppendLittleEndian(checkpoint::Crc32c(payload), &out);
  return out + payload;
}

absl::StatusOr<std::vector<LogRecord>> DecodeSegment(absl::string_view file) {
  std::vector<LogRecord> records;
  size_t at = 0;
  while (auto record = DecodeRecord(file.substr(at))) {
    records.push_back(std::move(record->first));
    at += record->second;
  }
  // Each record is on disk before the next is written, so only the last one can be torn.
  for (size_t next = file.find(kMagic, at + 1); next != absl::string_view::npos;
       next = file.find(kMagic, next + 1)) {
    if (DecodeRecord(file.substr(next))) {
      return absl::DataLossError(
          absl::StrCat("the record at byte ", at, " is damaged, that at ", next, " is whole"));
    }
  }
  return records;
}

std::string SegmentName(uint64_t serial) {
  return absl::StrCat(absl::Hex(serial, absl::kZeroPad16), kNameEnd);
}

std::optional<uint64_t> SegmentSerial(absl::string_view name) {
  uint64_t serial = 0;
  if (name.size() != kNameDigits + kNameEnd.size() || !absl::EndsWith(name, kNameEnd) ||
      !absl::SimpleHexAtoi(name.substr(0, kNameDigits), &serial)) {
    return std::nullopt;
  }
  return serial;
}

}  // namespace nightjar::alert_poller
