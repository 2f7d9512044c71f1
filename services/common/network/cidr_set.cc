#include "services/common/network/cidr_set.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>

#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"

namespace nightjar::network {
namespace {

absl::Status Invalid(absl::string_view cidr, absl::string_view reason) {
  constexpr size_t kShownBytesMax = 100;
  return absl::InvalidArgumentError(
      absl::StrCat("network \"", cidr.substr(0, kShownBytesMax), "\": ", reason));
}

// Digits only, without leading zeros.
std::optional<int> ParsePrefixBits(absl::string_view text, int max) {
  int bits = 0;
  if (text.empty() || text.size() > 3 || (text[0] == '0' && text.size() > 1)) return std::nullopt;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    bits = bits * 10 + (c - '0');
  }
  if (bits > max) return std::nullopt;
  return bits;
}

CidrSet Build(std::initializer_list<absl::string_view> cidrs) {
  CidrSet set;
  for (absl::string_view cidr : cidrs) CHECK(set.Add(cidr).ok());
  return set;
}

}  // namespace

absl::Status CidrSet::Add(absl::string_view cidr) {
  const size_t slash = cidr.find('/');
  const absl::string_view host = cidr.substr(0, slash);
  const std::optional<Address> address = Address::Parse(host);
  if (!address.has_value()) return Invalid(cidr, "not an IPv4 or IPv6 address");

  // Counted over the 128 bits of an Address.
  int bits = 128;
  if (slash != absl::string_view::npos) {
    const bool dotted = host.find(':') == absl::string_view::npos;
    const int max = dotted ? 32 : 128;
    const auto prefix = ParsePrefixBits(cidr.substr(slash + 1), max);
    if (!prefix.has_value()) {
      return Invalid(cidr, absl::StrCat("the part after / must be a number from 0 to ", max));
    }
    bits = *prefix + 128 - max;
  }

  std::array<uint8_t, 16> first = address->bytes(), last = first;
  for (int bit = bits; bit < 128; ++bit) {
    const uint8_t mask = static_cast<uint8_t>(0x80 >> (bit % 8));
    first[bit / 8] &= static_cast<uint8_t>(~mask);
    last[bit / 8] |= mask;
  }
  const Address low = Address::FromBytes(first), high = Address::FromBytes(last);

  // IPv4 addresses lie inside ::/0 to ::/95, but someone who writes those means IPv6 only.
  static const Address kIpv4First = *Address::Parse("0.0.0.0");
  static const Address kIpv4Last = *Address::Parse("255.255.255.255");
  if (low < kIpv4First && !(high < kIpv4Last)) {
    AddInterval({low, *Address::Parse("::fffe:ffff:ffff")});
    if (kIpv4Last < high) AddInterval({*Address::Parse("::1:0:0:0"), high});
  } else {
    AddInterval({low, high});
  }
  return absl::OkStatus();
}

void CidrSet::AddInterval(Interval added) {
  auto begin = std::lower_bound(
      intervals_.begin(), intervals_.end(), added.first,
      [](const Interval& interval, const Address& first) { return interval.last < first; });
  auto end = begin;
  while (end != intervals_.end() && !(added.last < end->first)) {
    added.first = std::min(added.first, end->first);
    added.last = std::max(added.last, end->last);
    ++end;
  }
  if (begin == end) {
    intervals_.insert(begin, added);
    return;
  }
  *begin = added;
  intervals_.erase(begin + 1, end);
}

bool CidrSet::Contains(const Address& address) const {
  const auto it = std::lower_bound(
      intervals_.begin(), intervals_.end(), address,
      [](const Interval& interval, const Address& a) { return interval.last < a; });
  return it != intervals_.end() && !(address < it->first);
}

bool IsSpecialUse(const Address& address) {
  static const CidrSet& networks = *new CidrSet(Build({
      "0.0.0.0/8",     "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",   "169.254.0.0/16",
      "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4",
      "240.0.0.0/4",   "::/128",       "::1/128",        "100::/64",      "2001:2::/48",
      "2001:10::/28",  "fc00::/7",     "fe80::/10",      "ff00::/8",
  }));
  return networks.Contains(address);
}

bool IsPrivate(const Address& address) {
  static const CidrSet& networks = *new CidrSet(
      Build({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"}));
  return networks.Contains(address);
}

}  // namespace nightjar::network
