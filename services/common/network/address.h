// An IPv4 or IPv6 address as a value.
#ifndef SERVICES_COMMON_NETWORK_ADDRESS_H_
#define SERVICES_COMMON_NETWORK_ADDRESS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace nightjar::network {

// 16 bytes in network order; IPv4 is held as IPv4-mapped IPv6 (::ffff:a.b.c.d), so both compare and
// sort in one space.
class Address {
 public:
  // Empty for anything that is not a plain address: no zone, no port, no leading zeros, no
  // surrounding space.
  static std::optional<Address> Parse(absl::string_view text);

  static Address FromBytes(const std::array<uint8_t, 16>& bytes) {
    Address address;
    address.bytes_ = bytes;
    return address;
  }

  bool is_ipv4() const;
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }

  // Canonical text: dotted quad, or RFC 5952. IPv4-mapped IPv6 reads as dotted quad.
  std::string ToString() const;

  friend bool operator==(const Address& a, const Address& b) { return a.bytes_ == b.bytes_; }
  friend bool operator!=(const Address& a, const Address& b) { return a.bytes_ != b.bytes_; }
  friend bool operator<(const Address& a, const Address& b) { return a.bytes_ < b.bytes_; }
  template <typename H>
  friend H AbslHashValue(H h, const Address& a) {
    return H::combine(std::move(h), a.bytes_);
  }

 private:
  std::array<uint8_t, 16> bytes_{};
};

}  // namespace nightjar::network

#endif  // SERVICES_COMMON_NETWORK_ADDRESS_H_
