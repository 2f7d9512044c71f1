#include "services/common/runtime/printable.h"

#include <cstdint>

namespace nightjar::runtime {
namespace {

// Bytes of the UTF-8 sequence at the start of `text`, decoded into `code`; 0 when it is not one
// (RFC 3629).
size_t DecodeUtf8(absl::string_view text, uint32_t& code) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) {
    code = first;
    return 1;
  }
  const size_t size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (size == 0 || text.size() < size) return 0;
  code = first & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3F);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? 0 : size;
}

bool IsUnsafe(uint32_t code) {
  if (code < 0x20 || (code >= 0x7F && code <= 0x9F)) return true;  // C0, DEL, C1
  if (code >= 0x2028 && code <= 0x202E) return true;  // separators, bidirectional embeddings
  return code >= 0x2066 && code <= 0x2069;            // bidirectional isolates
}

void AppendEscaped(absl::string_view bytes, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (const char c : bytes) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\x";
        out += kHex[static_cast<uint8_t>(c) >> 4];
        out += kHex[static_cast<uint8_t>(c) & 0xF];
    }
  }
}

}  // namespace

std::string Printable(absl::string_view text, size_t bytes_max) {
  const bool cut = text.size() > bytes_max;
  if (cut) text = text.substr(0, bytes_max);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    uint32_t code = 0;
    const size_t size = DecodeUtf8(text, code);
    const absl::string_view bytes = text.substr(0, size == 0 ? 1 : size);
    if (size == 0 || IsUnsafe(code)) {
      AppendEscaped(bytes, out);
    } else {
      out.append(bytes.data(), bytes.size());
    }
    text.remove_prefix(bytes.size());
  }
  if (cut) out += "...";
  return out;
}

}  // namespace nightjar::runtime
