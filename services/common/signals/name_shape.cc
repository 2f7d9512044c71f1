#include "services/common/signals/name_shape.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/match.h"

namespace nightjar::signals {
namespace {

constexpr int kAlphabetSize = 37;  // a-z, 0-9, hyphen

// Row: first character, column: second; '#' plus four times the bits of surprise.
constexpr const char* kSurprise[kAlphabetSize] = {
#include "services/common/signals/name_model.inc"
};

constexpr double kLetterBits = 4.700;  // log2(26)
constexpr double kDigitBits = 5.170;   // log2(36)
// One odd pair must not decide by itself, nor one common pair excuse the rest.
constexpr double kPairBitsMin = -8.0;

int Index(char c) {
  if (c >= 'a' && c <= 'z') return c - 'a';
  if (c >= '0' && c <= '9') return 26 + c - '0';
  return c == '-' ? 36 : -1;
}

}  // namespace

double RandomBits(absl::string_view label) {
  if (label.size() < kRandomLabelCharactersMin || absl::StartsWith(label, "xn--")) return 0;
  bool digits = false;
  for (const char c : label) {
    if (Index(c) < 0) return 0;
    digits = digits || (c >= '0' && c <= '9');
  }
  const double even_bits = digits ? kDigitBits : kLetterBits;
  double bits = 0;
  for (size_t i = 0; i + 1 < label.size(); ++i) {
    const char surprise = kSurprise[Index(label[i])][Index(label[i + 1])];
    bits += std::max(kPairBitsMin, (surprise - '#') / 4.0 - even_bits);
  }
  return bits;
}

}  // namespace nightjar::signals
