#include "services/ae_forwarder/journal_format.h"

#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/common/checkpoint/checkpoint.h"

namespace nightjar::ae_forwarder {
namespace {

constexpr absl::string_view kJournalOfAnyFormat = "nightjar ended journal ";
constexpr absl::string_view kMagic = "NJEF";
constexpr size_t kFrameHeaderBytes = 12;
constexpr uint64_t kForgetFlag = 1;

void PutU32(uint32_t value, char* to) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<char>(value >> (8 * i));
}

uint32_t GetU32(absl::string_view from) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= uint32_t{static_cast<unsigned char>(from[i])} << (8 * i);
  return value;
}

// LEB128, as in protobuf.
void PutVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

// Reads what PutVarint wrote; ok() is false once something was missing or too long.
class Decoder {
 public:
  explicit Decoder(absl::string_view bytes) : rest_(bytes) {}

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  // A count of things of at least one byte each.
  uint64_t Count() {
    const uint64_t count = Varint();
    if (count > rest_.size()) ok_ = false;
    return ok_ ? count : 0;
  }
  std::string Text() {
    const uint64_t length = Count();
    std::string text(rest_.substr(0, length));
    rest_.remove_prefix(text.size());
    return text;
  }
  bool ok() const { return ok_; }
  bool done() const { return !ok_ || rest_.empty(); }

 private:
  absl::string_view rest_;
  bool ok_ = true;
};

// Differences wrap around, so every int64 survives.
uint64_t Difference(int64_t to, int64_t from) {
  return static_cast<uint64_t>(to) - static_cast<uint64_t>(from);
}
int64_t Sum(int64_t from, uint64_t difference) {
  return static_cast<int64_t>(static_cast<uint64_t>(from) + difference);
}

void PutChange(const EndedChange& change, std::string* out) {
  PutVarint(change.forget ? kForgetFlag : 0, out);
  PutVarint(change.epoch.size(), out);
  out->append(change.epoch);
  PutVarint(change.fencing_token, out);
  PutVarint(change.intervals.size(), out);
  int64_t last = 0;
  for (const auto& [from, to] : change.intervals) {
    PutVarint(Difference(from, last), out);
    PutVarint(Difference(to, from), out);
    last = to;
  }
  PutVarint(change.hashes.size(), out);
  for (const auto& [hash, number] : change.hashes) {
    PutVarint(hash, out);
    PutVarint(static_cast<uint64_t>(number), out);
  }
}

EndedChange GetChange(Decoder* decoder) {
  EndedChange change;
  change.forget = (decoder->Varint() & kForgetFlag) != 0;
  change.epoch = decoder->Text();
  change.fencing_token = decoder->Varint();
  int64_t last = 0;
  for (uint64_t left = decoder->Count(); left > 0 && decoder->ok(); --left) {
    const int64_t from = Sum(last, decoder->Varint());
    last = Sum(from, decoder->Varint());
    change.intervals.emplace_back(from, last);
  }
  for (uint64_t left = decoder->Count(); left > 0 && decoder->ok(); --left) {
    const uint64_t hash = decoder->Varint();
    change.hashes.emplace_back(hash, static_cast<int64_t>(decoder->Varint()));
  }
  return change;
}

// The payload of the frame that `file` begins with; data() is null when there is no whole frame.
absl::string_view FramePayload(absl::string_view file) {
  if (file.size() < kFrameHeaderBytes || !absl::StartsWith(file, kMagic)) return {};
  const uint32_t length = GetU32(file.substr(4));
  if (length > file.size() - kFrameHeaderBytes) return {};
  const absl::string_view payload = file.substr(kFrameHeaderBytes, length);
  return checkpoint::Crc32c(payload) == GetU32(file.substr(8)) ? payload : absl::string_view();
}

bool HoldsFrame(absl::string_view bytes) {
  for (size_t at = bytes.find(kMagic); at != absl::string_view::npos;
       at = bytes.find(kMagic, at + 1)) {
    if (FramePayload(bytes.substr(at)).data() != nullptr) return true;
  }
  return false;
}

}  // namespace

void AppendFrame(absl::Span<const EndedChange> changes, std::string* out) {
  if (changes.empty()) return;
  const size_t start = out->size();
  out->append(kMagic.data(), kMagic.size());
  out->append(kFrameHeaderBytes - kMagic.size(), '\0');
  for (const EndedChange& change : changes) PutChange(change, out);
  const absl::string_view payload = absl::string_view(*out).substr(start + kFrameHeaderBytes);
  PutU32(static_cast<uint32_t>(payload.size()), &(*out)[start + 4]);
  PutU32(checkpoint::Crc32c(payload), &(*out)[start + 8]);
}

absl::StatusOr<JournalContents> ReadJournal(absl::string_view file) {
  if (!absl::StartsWith(file, kJournalHeader)) {
    if (absl::StartsWith(file, kJournalOfAnyFormat)) {
      return absl::DataLossError(absl::StrCat("it was made by a newer Nightjar; this one knows \"",
                                              absl::StripSuffix(kJournalHeader, "\n"), "\""));
    }
    return absl::DataLossError("it does not begin with the header of an ended journal");
  }
  JournalContents contents;
  contents.whole_bytes = kJournalHeader.size();
  while (contents.whole_bytes < file.size()) {
    const absl::string_view rest = file.substr(contents.whole_bytes);
    const absl::string_view payload = FramePayload(rest);
    if (payload.data() == nullptr) {
      if (!HoldsFrame(rest.substr(1))) return contents;  // torn
      return absl::DataLossError(absl::StrCat("damaged at byte ", contents.whole_bytes));
    }
    Decoder decoder(payload);
    while (!decoder.done()) contents.changes.push_back(GetChange(&decoder));
    if (!decoder.ok()) {
      return absl::DataLossError(absl::StrCat("unreadable frame at byte ", contents.whole_bytes));
    }
    contents.whole_bytes += kFrameHeaderBytes + payload.size();
  }
  return contents;
}

}  // namespace nightjar::ae_forwarder
