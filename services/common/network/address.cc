#include "services/common/network/address.h"

#include <arpa/inet.h>

#include <cstdio>
#include <cstring>

namespace nightjar::network {
namespace {

constexpr std::array<uint8_t, 12> kIpv4Mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Four decimal numbers 0..255 without leading zeros. Written out because it runs several times an
// event; inet_pton would need a copy that ends in NUL.
bool ParseIpv4(absl::string_view text, uint8_t* out) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (at == end || *at != '.') return false;
      ++at;
    }
    if (at == end || !IsDigit(*at)) return false;
    const char* const first = at;
    unsigned value = 0;
    while (at != end && IsDigit(*at) && at - first < 3) value = value * 10 + (*at++ - '0');
    if (value > 255 || (*first == '0' && at - first > 1)) return false;
    out[part] = static_cast<uint8_t>(value);
  }
  return at == end;
}

bool ParseIpv6(absl::string_view text, uint8_t* out) {
  char copy[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof(copy) ||
      std::memchr(text.data(), '\0', text.size()) != nullptr) {
    return false;
  }
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return inet_pton(AF_INET6, copy, out) == 1;
}

struct Run {
  int first = 8;
  int length = 0;
};

// The longest run of two or more zero groups, the first of equals (RFC 5952, 4.2).
Run LongestZeroRun(const std::array<uint16_t, 8>& groups) {
  Run best;
  for (int i = 0; i < 8;) {
    int end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i >= 2 && end - i > best.length) best = {i, end - i};
    i = end == i ? i + 1 : end;
  }
  return best;
}

std::string FormatIpv6(const std::array<uint8_t, 16>& bytes) {
  std::array<uint16_t, 8> groups;
  for (size_t i = 0; i < groups.size(); ++i)
    groups[i] = static_cast<uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  const Run zeros = LongestZeroRun(groups);
  std::string text;
  for (int i = 0; i < 8; ++i) {
    if (i == zeros.first) {
      text += "::";
      i += zeros.length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    char group[8];
    std::snprintf(group, sizeof(group), "%x", groups[i]);
    text += group;
  }
  return text;
}

}  // namespace

std::optional<Address> Address::Parse(absl::string_view text) {
  Address address;
  if (ParseIpv4(text, &address.bytes_[12])) {
    std::memcpy(address.bytes_.data(), kIpv4Mapped.data(), kIpv4Mapped.size());
    return address;
  }
  if (!ParseIpv6(text, address.bytes_.data())) return std::nullopt;
  return address;
}

bool Address::is_ipv4() const {
  return std::memcmp(bytes_.data(), kIpv4Mapped.data(), kIpv4Mapped.size()) == 0;
}

std::string Address::ToString() const {
  if (!is_ipv4()) return FormatIpv6(bytes_);
  char text[INET_ADDRSTRLEN];
  std::snprintf(text, sizeof(text), "%d.%d.%d.%d", bytes_[12], bytes_[13], bytes_[14], bytes_[15]);
  return text;
}

}  // namespace nightjar::network
